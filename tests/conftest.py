"""What every test may rely on."""

import signal

# A suite that is started in the background of a script inherits an ignored SIGINT; tests of Ctrl-C need Python's own.
signal.signal(signal.SIGINT, signal.default_int_handler)
