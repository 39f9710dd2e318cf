"""What goes wrong while a centre is built, in English and Chinese, with what to change."""


class LabError(Exception):
    """Nothing is left half built: whoever raises it has taken down what it had begun."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(f"{en} / {zh}")
        self.en, self.zh = en, zh
