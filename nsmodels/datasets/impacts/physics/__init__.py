"""Physics of the clips: materials, contacts, mechanics of a clip, what the hand feels."""
