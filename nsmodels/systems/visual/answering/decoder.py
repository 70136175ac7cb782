"""The parser's network in numpy, one question at a time: reading a question without torch.

It computes what `Parser` does; a test compares the two. Shapes: s words, h hidden, v number of tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.fluency import Fluency
from nsmodels.systems.visual.language.grammar import Derivation
from nsmodels.systems.visual.language.reading import Decoded, Reader
from nsmodels.systems.visual.language.search import LEAST, WIDTH, beam_search
from nsmodels.systems.visual.language.tokens import Vocabulary
from nsmodels.systems.visual.perception.readout import softmax

Array = np.ndarray


@final
class NumpyParser(Reader):
    """A trained parser as arrays.

    Args:
        weights: by name, as in the `state_dict` of `Parser`.
        words: the vocabulary of questions, in the order of the words' numbers.
        sequences: pairs and triples of word classes in the training questions; see `fluency`.
        max_program_length: longest program that is decoded, in functions.
    """

    def __init__(
        self, weights: Mapping[str, Array], words: Sequence[str], sequences: Sequence[str], max_program_length: int
    ) -> None:
        self.weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}
        self.vocabulary, self.fluency = Vocabulary(words), Fluency(sequences)
        self.max_program_length = max_program_length

    def most_likely(self, numbers: list[list[int]]) -> list[Decoded]:
        """The greedy program of each question, given as word numbers, with its probability."""
        return [self._searched(each, 1)[0] for each in numbers]

    def candidates(self, numbers: list[int]) -> list[Decoded]:
        """The most likely programs of one question, most likely first."""
        return self._searched(numbers, WIDTH)

    def _searched(self, numbers: list[int], width: int) -> list[Decoded]:
        weights = self.weights
        values, *first = self._encode(numbers)
        keys, states = values @ weights["key.weight"].T, [tuple(first)]

        def score(rows: list[int], beam: list[Derivation]) -> Array:
            nonlocal states
            found = [self._step(keys, values, states[row], each) for row, each in zip(rows, beam, strict=True)]
            states = [state for _, state in found]
            return np.stack([scores for scores, _ in found])

        return beam_search(score, width, least=0.0 if width == 1 else LEAST)

    def _step(self, keys: Array, values: Array, state: tuple[Array, ...], derivation: Derivation) -> Any:
        """Log-probabilities (v,) of the next token, and the decoder's next state."""
        weights, slot = self.weights, derivation.slot
        token = derivation.tokens[-1] if derivation.tokens else grammar.START
        embedded = weights["tokens.weight"][token]
        embedded = embedded + weights["slots.weight"][slot + len(grammar.TYPES) * (derivation.num_open > 1)]
        reader = self._gru("reader", "l0", embedded, state[0])
        context = softmax(keys @ reader) @ values
        writer = self._gru("writer", "l0", np.concatenate([reader, context]), state[1])
        scores = weights["score.weight"] @ np.concatenate([writer, context]) + weights["score.bias"]
        fits = grammar.FITS_WITHIN[slot, derivation.slack(self.max_program_length)]
        with np.errstate(divide="ignore"):
            return np.log(softmax(np.where(fits, scores, -np.inf))), (reader, writer)

    def _encode(self, words: Sequence[int]) -> tuple[Array, Array, Array]:
        """Outputs of the encoder's last layer (s, h), and the decoder's two first states (h,)."""
        values, layer = self.weights["words.weight"][list(words)], 0
        while f"encoder.weight_ih_l{layer}" in self.weights:
            forward = self._run(f"l{layer}", values)
            backward = self._run(f"l{layer}_reverse", values[::-1])
            both = np.concatenate([forward[-1], backward[-1]])
            values, layer = np.concatenate([forward, backward[::-1]], axis=1), layer + 1
        started = np.tanh(self.weights["start.weight"] @ both + self.weights["start.bias"])
        reader, writer = np.split(started, 2)
        return values, reader, writer

    def _run(self, layer: str, inputs: Array) -> Array:
        """States (s, h) of one direction of the encoder after each of its `inputs` (s, d)."""
        states = [np.zeros(self.weights[f"encoder.weight_hh_{layer}"].shape[1], np.float32)]
        for each in inputs:
            states.append(self._gru("encoder", layer, each, states[-1]))
        return np.stack(states[1:])

    def _gru(self, name: str, layer: str, inputs: Array, state: Array) -> Array:
        """The next state of a gated recurrent unit (Cho et al. 2014), as torch defines it."""
        parts = [self.weights[f"{name}.{part}_{layer}"] for part in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")]
        given, held = parts[0] @ inputs + parts[1], parts[2] @ state + parts[3]
        (reset_in, update_in, new_in), (reset_held, update_held, new_held) = np.split(given, 3), np.split(held, 3)
        update = _sigmoid(update_in + update_held)
        new = np.tanh(new_in + _sigmoid(reset_in + reset_held) * new_held)
        return (1 - update) * new + update * state


def _sigmoid(values: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * values))
