"""Messages to people: a JSON document posted to the URL in `NSMODELS_WEBHOOK_URL`, in the form that Slack takes."""

from __future__ import annotations

import os
import time
from typing import Any

import dagster as dg

from nsmodels.core.errors import InputError

TIMEOUT = 3.0  # seconds; a tick of a sensor has sixty for up to five messages
PAUSES = (0.5, 1.5)  # seconds before the second and the third attempt
PASSING = (408, 429, 500, 502, 503, 504)  # answers that may be others in a moment


class Webhook(dg.ConfigurableResource):
    """Where messages go. The URL is a secret and the UI shows this configuration: it holds names of variables."""

    variable: str = "NSMODELS_WEBHOOK_URL"
    ui_variable: str = "NSMODELS_UI_URL"

    @property
    def is_set(self) -> bool:
        """Whether anybody is to be told."""
        return bool(os.environ.get(self.variable))

    def link(self, path: str) -> str | None:
        """The address of a page of the web UI; None when nobody said where that is."""
        root = os.environ.get(self.ui_variable)
        return f"{root.rstrip('/')}/{path}" if root else None

    def send(self, text: str, **fields: Any) -> None:
        """Post a message; fields that are None or empty are left out.

        Raises `InputError`, which never shows the URL, when all three attempts fail.
        """
        document = {"text": text, **{name: value for name, value in fields.items() if value not in (None, "", [])}}
        url, failure = os.environ[self.variable], ""
        for pause in (*PAUSES, None):
            failure, is_passing = _post(url, document)
            if not failure:
                return
            if not is_passing or pause is None:
                break
            time.sleep(pause)
        raise InputError(f"the webhook in {self.variable} does not take messages: {failure}")


def _post(url: str, document: dict[str, Any]) -> tuple[str, bool]:
    """What went wrong (empty: nothing), and whether another attempt may help. The words never hold the URL."""
    import requests  # here: it would make every start slower

    try:
        # A redirected POST arrives as a GET without the message.
        response = requests.post(url, json=document, timeout=TIMEOUT, allow_redirects=False)
    except (requests.ConnectionError, requests.Timeout) as error:
        return type(error).__name__, True
    except (requests.RequestException, ValueError) as error:
        return f"{type(error).__name__}, is it a URL?", False
    if 200 <= response.status_code < 300:
        return "", False
    return f"HTTP status {response.status_code}", response.status_code in PASSING
