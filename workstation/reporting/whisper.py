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

from workstation.reporting.dictation import SpeechContext, Utterance, Word
from workstation.reporting.log_mel import FRAMES_PER_SECOND, SAMPLE_RATE, WINDOW_SECONDS, Sound, log_mel

if TYPE_CHECKING:
    import ctranslate2

SILENT_BELOW = 0.003
"""Root mean square of the loudest 30 ms under which nobody has spoken (-50 dB of full scale)."""

_MOST_PREVIOUS = 223  # half the text window less one: what the model was trained to look back on
_MOST_HOTWORDS = 110
_NO_SPEECH, _UNLIKELY, _REPEATING = 0.6, -1.0, 2.4  # the thresholds of the model's own authors
_TOKENS_PER_SECOND = 12  # nobody speaks faster; what decodes to more is going round in circles


@dataclass(frozen=True, slots=True)
class _Heard:
    """One window: token sequences best first, and how they scored."""

    sequences: list[list[int]]
    score: float
    no_speech: float


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
        for offset, window in windows(sound):
            if is_silent(window):
                continue
            so_far = " ".join(word.text for word in words)
            heard, features = self._hear(window, context, so_far)
            if heard is None:
                continue
            words += self._timed(features, heard.sequences[0], window, offset / SAMPLE_RATE)
            alternatives = [self._text(other) for other in heard.sequences[1:]]
        text = " ".join(word.text for word in words)
        one_window = len(sound) <= WINDOW_SECONDS * SAMPLE_RATE
        return Utterance(
            text,
            tuple(words),
            tuple(dict.fromkeys(a for a in alternatives if a and a != text)) if one_window else (),
            len(sound) / SAMPLE_RATE,
            time.perf_counter() - began,
            self.name,
        )

    def close(self) -> None:
        """Give the weights' memory back."""
        self._model.unload_model()

    def _hear(
        self, window: Sound, context: SpeechContext, so_far: str
    ) -> tuple[_Heard | None, ctranslate2.StorageView]:
        """Decode one window; once more without context where the result goes round in circles."""
        import ctranslate2

        spectrum = log_mel(window, self._bands)
        features = self._model.encode(ctranslate2.StorageView.from_array(spectrum[None]), to_cpu=False)
        seconds = len(window) / SAMPLE_RATE
        heard = self._decode(features, self._prompt(context, so_far), seconds)
        if repeats(self._text(heard.sequences[0])):
            heard = self._decode(features, [], seconds, no_repeat_ngram_size=4)
        if heard.no_speech > _NO_SPEECH and heard.score < _UNLIKELY:
            return None, features
        return heard, features

    def _decode(
        self,
        features: ctranslate2.StorageView,
        previous: list[int],
        seconds: float,
        no_repeat_ngram_size: int = 0,
    ) -> _Heard:
        prompt = [*previous, *self._start, self._no_times]
        result = self._model.generate(
            features,
            [prompt],
            beam_size=5,
            num_hypotheses=4,
            max_length=min(448, len(prompt) + 16 + int(seconds * _TOKENS_PER_SECOND)),
            no_repeat_ngram_size=no_repeat_ngram_size,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        return _Heard(result.sequences_ids, result.scores[0], result.no_speech_prob)

    def _prompt(self, context: SpeechContext, so_far: str) -> list[int]:
        """Hotwords, then as much of the text before as there is room for, its nearest end kept."""
        hot = self._encode(f" {', '.join(context.hotwords)}.")[:_MOST_HOTWORDS] if context.hotwords else []
        before = f"{context.prompt} {so_far}".strip()
        text = self._encode(f" {before}") if before else []
        room = _MOST_PREVIOUS - len(hot)
        tokens = [*hot, *text[-room:]]
        return [self._previous, *tokens] if tokens else []

    def _timed(
        self, features: ctranslate2.StorageView, tokens: list[int], window: Sound, offset: float
    ) -> list[Word]:
        """The tokens as words with times (cross-attention alignment) and probabilities (mean over tokens)."""
        groups = self._words(tokens)
        if not groups:
            return []
        frames = len(window) * FRAMES_PER_SECOND // SAMPLE_RATE
        found = self._model.align(
            features, self._start, [[t for group in groups for t in group]], max(frames, 4)
        )[0]
        starts: dict[int, int] = {}
        for token, frame in found.alignments:
            starts.setdefault(token, frame)
        words, at = [], 0
        for group in groups:
            chances = found.text_token_probs[at : at + len(group)]
            begin, end = starts.get(at, 0), starts.get(at + len(group), frames // 2)
            at += len(group)
            text = self._text(group)
            if text:
                chance = float(np.mean(chances)) if chances else 0.0
                words.append(Word(text, offset + begin / 50, offset + max(begin, end) / 50, chance))
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


def is_silent(sound: Sound) -> bool:
    """Whether even the loudest 30 ms are no speech; a model left alone with silence invents words."""
    frame = SAMPLE_RATE * 30 // 1000
    if len(sound) < frame:
        return True
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    return float(np.sqrt((frames**2).mean(axis=1)).max()) < SILENT_BELOW


def windows(sound: Sound) -> list[tuple[int, Sound]]:
    """The sound in pieces of at most 30 s with their offsets, cut where it is quietest after 20 s."""
    longest, least = WINDOW_SECONDS * SAMPLE_RATE, 20 * SAMPLE_RATE
    pieces, at = [], 0
    while len(sound) - at > longest:
        step = SAMPLE_RATE // 10
        candidates = sound[at + least : at + longest].reshape(-1, step)
        quietest = int((candidates**2).mean(axis=1).argmin())
        cut = at + least + quietest * step + step // 2
        pieces.append((at, sound[at:cut]))
        at = cut
    pieces.append((at, sound[at:]))
    return pieces


def repeats(text: str) -> bool:
    """Whether a text goes round in circles: it then packs far better than speech does."""
    data = text.encode()
    return len(data) > 60 and len(data) / len(zlib.compress(data)) > _REPEATING
