"""Rule models: deterministic programs behind the model protocol. No model of a language at all.

They read the same prompts as a language model, and answer in the same text formats, so that every
agent here runs offline. What they know stands in the prompt's text.
"""

from examples.forms.rules._errors import LETTERS, ErrorRates
from examples.forms.rules._judge import RuleJudgeModel
from examples.forms.rules._model import RuleModel
from examples.forms.rules._server import RuleServer
from examples.forms.rules._student import RuleStudentModel
from examples.forms.rules._teacher import RuleTeacherModel
from examples.forms.rules._user import RuleUserModel

__all__ = [
    "LETTERS",
    "ErrorRates",
    "RuleJudgeModel",
    "RuleModel",
    "RuleServer",
    "RuleStudentModel",
    "RuleTeacherModel",
    "RuleUserModel",
]
