"""placeholder"""
from examples.forms.rules._model import RuleModel


class RuleJudgeModel(RuleModel):
    default_name = "rule-judge"

    def answer(self, task, sections, chance):
        return ""
