"""What sets a command's answer apart from whatever else may stand around or inside it."""

import secrets


def random_nonce() -> str:
    """64 bits: nobody can name a job, or write a start-up file, so that it holds the next one."""
    return "pc" + secrets.token_hex(8)
