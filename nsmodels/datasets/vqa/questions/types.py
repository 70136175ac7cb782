"""Types of questions and answers as VQA v2 assigns them: by the words a question begins with, by the answer."""

from __future__ import annotations

from nsmodels.datasets.vqa.files.annotations import ANSWER_TYPES

# The 64 beginnings of the release, "none of the above" is the 65th type (GT-Vision-Lab/VQA, QuestionTypes).
QUESTION_TYPES = (
    "how many", "is the", "what", "what color is the", "what is the", "is this", "is this a", "what is", "are the",
    "what kind of", "is there a", "what type of", "is it", "what are the", "where is the", "is there", "does the",
    "what color are the", "are these", "are there", "which", "is", "what is the man", "is the man", "are", "how",
    "does this", "what is on the", "what does the", "how many people are", "what is in the", "what is this", "do",
    "what are", "are they", "what time", "what sport is", "are there any", "is he", "what color is", "why",
    "where are the", "what color", "who is", "what animal is", "is the woman", "is this an", "do you",
    "how many people are in", "what room is", "has", "is this person", "what is the woman", "can you", "why is the",
    "is the person", "what is the color of the", "what is the person", "could", "was", "is that a", "what number is",
    "what is the name", "what brand",
)  # fmt: skip
OTHER_TYPE = "none of the above"
_KNOWN = frozenset(QUESTION_TYPES)
_MOST_WORDS = max(name.count(" ") for name in QUESTION_TYPES) + 1

YES_NO, NUMBER, OTHER = ANSWER_TYPES


def question_type(question: str) -> str:
    """The longest known beginning of a question, by whole words in lower case."""
    words = question.lower().replace("?", " ").split()
    for num in range(min(len(words), _MOST_WORDS), 0, -1):
        if (name := " ".join(words[:num])) in _KNOWN:
            return name
    return OTHER_TYPE


def answer_type(answer: str) -> str:
    """ "yes/no", "number" or "other", by an answer in its normal form."""
    if answer in ("yes", "no"):
        return YES_NO
    return NUMBER if answer.isdecimal() else OTHER
