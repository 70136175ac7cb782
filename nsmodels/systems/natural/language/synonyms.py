"""Synonyms: phrases that stand for entries which questions do not mention as they are, learnt from programs.

"Is there a telephone?" asks for a phone: where a program has an entry that its question does not mention, one of the
words without a mention stands for it. A phrase is taken for a synonym if it comes with the entry nearly always.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from nsmodels.systems.natural.language.mentions import Entry, Mention

LONGEST = 2  # words of a synonym
LEAST_COUNT = 3  # questions with it
LEAST_SHARE = 0.9  # of the questions with the phrase that are about the entry
Phrase = tuple[str, ...]
# Words and mentions of a question, and the entries of its program that it does not mention.
Unexplained = tuple[Sequence[str], Sequence[Mention], Sequence[Entry]]


def learn_synonyms(questions: Iterable[Unexplained]) -> tuple[tuple[str, Entry], ...]:
    """Phrases for entries, sorted: for each entry the shortest and most frequent ones first, as many as add some."""
    totals: Counter[Phrase] = Counter()
    places: defaultdict[Entry, list[set[Phrase]]] = defaultdict(list)
    for words, mentions, entries in questions:
        free = set(_free_phrases(words, mentions))
        totals.update(free)
        for entry in entries:
            places[entry].append(free)
    found = [(" ".join(phrase), entry) for entry, each in places.items() for phrase in _covering(each, totals)]
    return tuple(sorted(found))


def _free_phrases(words: Sequence[str], mentions: Sequence[Mention]) -> Iterator[Phrase]:
    """Phrases of words that are no mention."""
    taken = {place for each in mentions for place in range(each.start, each.end)}
    for start in range(len(words)):
        for length in range(1, LONGEST + 1):
            span = range(start, start + length)
            if span.stop <= len(words) and not taken.intersection(span):
                yield tuple(words[start : span.stop])


def _covering(questions: Sequence[set[Phrase]], totals: Counter[Phrase]) -> Iterator[Phrase]:
    """Phrases that come with an entry nearly always, until no question that lacks one is left with such a phrase."""
    left = list(questions)
    while left:
        counts = Counter(phrase for phrases in left for phrase in phrases)
        all_counts = Counter(phrase for phrases in questions for phrase in phrases)
        sure = [
            phrase
            for phrase, count in counts.items()
            if count >= LEAST_COUNT and all_counts[phrase] >= LEAST_SHARE * totals[phrase]
        ]
        if not sure:
            return
        best = max(sure, key=lambda phrase: (-len(phrase), counts[phrase], phrase))
        yield best
        left = [phrases for phrases in left if best not in phrases]
