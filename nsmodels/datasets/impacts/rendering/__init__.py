"""Pictures of scenes: a compiled ray caster with a fixed camera."""
