"""Whisper on CTranslate2: windows of at most 30 s, beam search, words with their times and probabilities.

Runs in the speech child only; the heavy modules are imported when a model is opened.
"""

from __future__ import annotations

import os
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workstation.reporting.dictation import SpeechContext, Utterance, Word
from workstation.reporting.lexicon import Lexicon, disputed_negations, plain_words
from workstation.reporting.log_mel import FRAMES_PER_SECOND, SAMPLE_RATE, WINDOW_SECONDS, Sound, log_mel

if TYPE_CHECKING:
    import ctranslate2

SILENT_BELOW = 0.003
"""Root mean square of the loudest 30 ms under which nobody has spoken (-50 dB of full scale)."""

LEAD_SECONDS = 0.5
"""Silence put before each window: the model loses the first word of a sound that begins with it."""

_MOST_PREVIOUS = 223  # half the text window less one: what the model was trained to look back on
_MOST_HOTWORDS = 110
_NO_SPEECH, _UNLIKELY, _REPEATING = 0.6, -1.0, 2.4  # the thresholds of the model's own authors
_TOKENS_PER_SECOND = 12  # nobody speaks faster; what decodes to more is going round in circles
_READINGS = 8
_STEPS_PER_SECOND = 50  # of the encoder
_UNPROMPTED_SHARE = 0.15  # how much the sound alone counts, so that the prompt cannot put words into it
_KNOWN_WORD = 0.1  # what a word of the lexicon is worth, in mean log probability per token
_PLAUSIBLE = 0.5  # readings this little behind the best are other things that may have been said
_DISPUTED = 0.3  # probability shown for a denial that another plausible reading does not have


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a beam search found: token sequences with their mean log probabilities, best first."""

    sequences: list[list[int]]
    scores: list[float]
    no_speech: float


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a window: tokens, probability of each from the sound alone, and its score in all."""

    tokens: list[int]
    text: str
    chances: list[float]
    score: float
    likelihood: float


class WhisperEngine:
    """An open model. `threads` 0 takes as many as there are processors, four at most."""

    def __init__(self, folder: Path, name: str = "", threads: int = 0) -> None:
        from ctranslate2.models import Whisper
        from tokenizers import Tokenizer

        self.name = name or folder.name
        self._model = Whisper(
            str(folder),
            device="cpu",
            compute_type="int8",
            intra_threads=threads or min(4, os.cpu_count() or 1),
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._bands = int(self._model.n_mels)
        start = [self._special("<|startoftranscript|>")]
        if self._model.is_multilingual:
            start += [self._special("<|en|>"), self._special("<|transcribe|>")]
        self._start = start
        self._previous = self._special("<|startofprev|>")
        self._no_times = self._special("<|notimestamps|>")
        self._end = self._special("<|endoftext|>")

    def transcribe(self, sound: Sound, context: SpeechContext) -> Utterance:
        """Words of a sound of any length; an empty utterance where nobody spoke."""
        began = time.perf_counter()
        words: list[Word] = []
        alternatives: list[str] = []
        pieces = windows(sound)
        for offset, window in pieces:
            if is_silent(window):
                continue
            so_far = " ".join(word.text for word in words)
            features, readings = self._read(window, context, so_far)
            if not readings:
                continue
            words += self._timed(features, readings, window, offset / SAMPLE_RATE)
            alternatives = [other.text for other in readings[1:]] if len(pieces) == 1 else []
        text = " ".join(word.text for word in words)
        return Utterance(
            text,
            tuple(words),
            tuple(dict.fromkeys(other for other in alternatives if other and other != text))[:4],
            len(sound) / SAMPLE_RATE,
            time.perf_counter() - began,
            self.name,
        )

    def close(self) -> None:
        """Give the weights' memory back."""
        self._model.unload_model()

    def _read(
        self, window: Sound, context: SpeechContext, so_far: str
    ) -> tuple[ctranslate2.StorageView, list[_Reading]]:
        """The readings of a window, best first; none where it holds no speech."""
        led = np.concatenate([np.zeros(int(LEAD_SECONDS * SAMPLE_RATE), np.float32), window])
        features = self._listen(led)
        longest = 16 + int(len(led) / SAMPLE_RATE * _TOKENS_PER_SECOND)
        heard = self._decode(features, self._prompt(context, so_far), longest, beam=_READINGS)
        sounding = _without_padding(features, len(led))
        readings = self._scored(sounding, heard, Lexicon(context.hotwords))
        if not readings or repeats(readings[0].text):
            heard = self._decode(features, [], longest, beam=5, no_repeat_ngram_size=4)
            readings = self._scored(sounding, heard, Lexicon())
        if readings and heard.no_speech > _NO_SPEECH and readings[0].likelihood < _UNLIKELY:
            return features, []
        return features, readings

    def _listen(self, led: Sound) -> ctranslate2.StorageView:
        """What the encoder makes of a window."""
        import ctranslate2

        return self._model.encode(
            ctranslate2.StorageView.from_array(log_mel(led, self._bands)[None]), to_cpu=True
        )

    def _decode(
        self,
        features: ctranslate2.StorageView,
        previous: list[int],
        longest: int,
        beam: int,
        no_repeat_ngram_size: int = 0,
    ) -> _Heard:
        """Beam search after the prompt."""
        prompt = [*previous, *self._start, self._no_times]
        result = self._model.generate(
            features,
            [prompt],
            beam_size=beam,
            num_hypotheses=beam,
            max_length=min(448, len(prompt) + longest),
            no_repeat_ngram_size=no_repeat_ngram_size,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        return _Heard(result.sequences_ids, result.scores, result.no_speech_prob)

    def _scored(self, features: ctranslate2.StorageView, heard: _Heard, lexicon: Lexicon) -> list[_Reading]:
        """Readings by their likelihood after the prompt, without it, and by the words reports are made of."""
        kept = [
            (tokens, score) for tokens, score in zip(heard.sequences, heard.scores, strict=True) if tokens
        ]
        if not kept:
            return []
        readings = []
        for (tokens, likelihood), alone in zip(
            kept, self._chances(features, [t for t, _ in kept]), strict=True
        ):
            text = self._text(tokens)
            mixed = (1 - _UNPROMPTED_SHARE) * likelihood + _UNPROMPTED_SHARE * float(np.mean(np.log(alone)))
            score = mixed + _KNOWN_WORD * lexicon.known(text)
            readings.append(_Reading(tokens, text, [float(chance) for chance in alone], score, likelihood))
        return sorted(readings, key=lambda reading: (repeats(reading.text), -reading.score))

    def _chances(
        self, features: ctranslate2.StorageView, sequences: list[list[int]]
    ) -> list[NDArray[np.float64]]:
        """Probability of every token of every sequence from the sound alone, the end token's included.

        With its end counted, a reading that leaves the last words out does not win by that.
        """
        import ctranslate2

        many = np.repeat(np.array(features), len(sequences), axis=0)
        texts = [[*tokens, self._end] for tokens in sequences]
        frames = [2 * many.shape[1]] * len(texts)
        tiled = ctranslate2.StorageView.from_array(np.ascontiguousarray(many))
        found = self._model.align(tiled, self._start, texts, frames)
        return [np.maximum(1e-6, np.asarray(each.text_token_probs, np.float64)) for each in found]

    def _prompt(self, context: SpeechContext, so_far: str) -> list[int]:
        """Hotwords, then as much of the text before as there is room for, its nearest end kept."""
        hot = self._encode(f" {', '.join(context.hotwords)}.")[:_MOST_HOTWORDS] if context.hotwords else []
        before = f"{context.prompt} {so_far}".strip()
        text = self._encode(f" {before}") if before else []
        room = _MOST_PREVIOUS - len(hot)
        tokens = [*hot, *text[-room:]]
        return [self._previous, *tokens] if tokens else []

    def _timed(
        self, features: ctranslate2.StorageView, readings: list[_Reading], window: Sound, offset: float
    ) -> list[Word]:
        """The best reading as words with times (cross-attention alignment) and probabilities.

        Probabilities are of the sound alone: a word that only the prompt made likely is shown as unsure, and
        so is a denial that another plausible reading does not have.
        """
        best = readings[0]
        groups = self._words(best.tokens)
        frames = (len(window) * FRAMES_PER_SECOND // SAMPLE_RATE) + int(LEAD_SECONDS * FRAMES_PER_SECOND)
        found = self._model.align(features, self._start, [best.tokens], max(frames, 4))[0]
        starts: dict[int, int] = {}
        for token, frame in found.alignments:
            starts.setdefault(token, frame)
        plausible = [one.text for one in readings[1:] if one.likelihood > best.likelihood - _PLAUSIBLE]
        disputed = disputed_negations([self._text(group) for group in groups], plausible)
        words, at = [], 0
        for place, group in enumerate(groups):
            begin, end = starts.get(at, 0), starts.get(at + len(group), frames // 2)
            chance = float(np.mean(best.chances[at : at + len(group)]))
            at += len(group)
            if text := self._text(group):
                sure = min(chance, _DISPUTED) if place in disputed else chance
                words.append(Word(text, offset + _seconds(begin), offset + _seconds(max(begin, end)), sure))
        return words

    def _words(self, tokens: list[int]) -> list[list[int]]:
        """Tokens in groups that begin with a blank (byte-pair encoding marks it ``Ġ``)."""
        groups: list[list[int]] = []
        for token in tokens:
            if token >= self._end:
                continue
            piece = self._tokenizer.id_to_token(token) or ""
            if piece.startswith("Ġ") or not groups:
                groups.append([])
            groups[-1].append(token)
        return groups

    def _special(self, name: str) -> int:
        token = self._tokenizer.token_to_id(name)
        if token is None:
            raise ValueError(f"the tokenizer has no {name}: this is no Whisper model")
        return int(token)

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _text(self, tokens: list[int]) -> str:
        return " ".join(self._tokenizer.decode(tokens, skip_special_tokens=True).split())


def _without_padding(features: ctranslate2.StorageView, samples: int) -> ctranslate2.StorageView:
    """The encoder's steps for the sound and a second more, enough to weigh a text by and quicker.

    Not for the search itself: without the silence behind it the model does not know where to end.
    """
    import ctranslate2

    encoded = np.array(features)
    kept = samples * _STEPS_PER_SECOND // SAMPLE_RATE + _STEPS_PER_SECOND
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(encoded[:, :kept]))


def _seconds(step: int) -> float:
    """Alignment steps of 20 ms as seconds in the sound, without the silence put before it."""
    return max(0.0, step / _STEPS_PER_SECOND - LEAD_SECONDS)


def is_silent(sound: Sound) -> bool:
    """Whether even the loudest 30 ms are no speech; a model left alone with silence invents words."""
    frame = SAMPLE_RATE * 30 // 1000
    if len(sound) < frame:
        return True
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    return float(np.sqrt((frames**2).mean(axis=1)).max()) < SILENT_BELOW


def windows(sound: Sound) -> list[tuple[int, Sound]]:
    """The sound in pieces of at most 29.5 s with their offsets, cut where it is quietest after 20 s."""
    longest = int((WINDOW_SECONDS - LEAD_SECONDS) * SAMPLE_RATE)
    least = 20 * SAMPLE_RATE
    pieces, at = [], 0
    while len(sound) - at > longest:
        step = SAMPLE_RATE // 10
        candidates = sound[at + least : at + longest]
        candidates = candidates[: len(candidates) // step * step].reshape(-1, step)
        quietest = int((candidates**2).mean(axis=1).argmin())
        cut = at + least + quietest * step + step // 2
        pieces.append((at, sound[at:cut]))
        at = cut
    pieces.append((at, sound[at:]))
    return pieces


def repeats(text: str) -> bool:
    """Whether a text goes round in circles: it is said twice over, or packs far better than speech does."""
    words = plain_words(text)
    half = len(words) // 2
    if half >= 4 and words[:half] == words[-half:]:
        return True
    data = text.encode()
    return len(data) > 60 and len(data) / len(zlib.compress(data)) > _REPEATING
