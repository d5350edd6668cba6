"""What does a finding or a cause mean: what it says, what measures it, and its remedy; no torch."""

from __future__ import annotations

import difflib
import re

from recbole_alibaba.diagnosis.catalogue import catalogue, measured, sentence, title
from recbole_alibaba.diagnosis.causes.remedies import first_remedy
from recbole_alibaba.diagnosis.findings import as_settings
from recbole_alibaba.host.errors import BadInput

VALUE = re.compile(r"(?<!{){\w+(?::[^}%]*(%?))?}")  # in a sentence's template
COMMON = {"topk": [10], "metrics": ["Recall"], "reg_weight": 0.1, "init": "xavier"}


def explanation(name: str, lang: str) -> str:
    """A few lines about the id ``name``. A value that depends on the data is shown as ``...``.

    Raises:
        BadInput: there is no such id; the message gives the nearest ones.
    """
    known = [entry for entry, wordings in catalogue().items() if "title" in wordings]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        hint = f"Near: {', '.join(near)}." if near else "`recbole-alibaba doctor --explain` lists them all."
        raise BadInput(f"Nothing is called '{name}'. {hint}")
    says: list[str] = []
    does: list[str] = []
    for wording, template in catalogue()[name].items():
        if wording in ("title", "measure", "tried"):
            continue
        remedy = wording in ("remedy", "by-hand")
        text = template[lang].strip()
        if remedy and (changes := first_remedy((name,), COMMON)):
            text = text.replace("{changes}", as_settings(changes))
        text = VALUE.sub(r"...\1", text).replace("{{", "{").replace("}}", "}")
        (does if remedy else says).append(f"{_label('explain-do' if remedy else 'explain-says', lang)} {text}")
    if "measure" in catalogue()[name]:
        says.append(f"{_label('explain-measure', lang)} {measured(name, lang)}")
    return "\n".join([f"{name}: {title(name, lang)}", *says, *does])


def _label(key: str, lang: str) -> str:
    return sentence("report", key, lang, {})
