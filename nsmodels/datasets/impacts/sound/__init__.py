"""Sound of impacts: modes of vibration, what excites them, and what a microphone records."""
