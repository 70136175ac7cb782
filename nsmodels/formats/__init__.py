"""Formats that several datasets emit and several systems read; a module per format, moved here at its second user."""
