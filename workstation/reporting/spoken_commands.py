"""Spoken commands on a key of their own: a short list, matched closely, refused in doubt.

With a speech model at hand its words are compared with the list. Without one, pocketsphinx decodes against a
grammar of the list; such a decoder takes anything for a command, so the phones it would have heard without a
grammar must not fit the sound much better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workstation.reporting.dictation import SpeechContext, SpeechSource, SpeechUnavailable
from workstation.reporting.log_mel import SAMPLE_RATE, Sound
from workstation.reporting.shipped import code_list

if TYPE_CHECKING:
    import pocketsphinx

LONGEST_SECONDS = 2.6
"""Nobody takes longer over a command; what does is dictation with the wrong key held."""

ACCEPT_FROM = 0.8

_RATIO_MIDDLE, _RATIO_WIDTH = -0.0007, 0.0002
"""Score of the command less that of free phones, per 10 ms: where it tips, and how sharply. Set on 80 spoken
commands and 36 other utterances of four synthetic voices, so that none of the latter passed."""


@dataclass(frozen=True, slots=True)
class CommandHeard:
    """The nearest command, how near (0-1), and whether that is near enough to be done."""

    command: str
    phrase: str
    confidence: float
    accepted: bool


def spoken_commands() -> dict[str, str]:
    """Phrase to command identifier."""
    return {
        phrase: command for command, phrases in code_list("spoken_commands").items() for phrase in phrases
    }


def nothing_heard() -> CommandHeard:
    """The answer where nobody gave a command."""
    return CommandHeard("", "", 0.0, False)


class CommandListener:
    """Recognises commands; `speech` is the open dictation engine where there is one."""

    def __init__(self, speech: SpeechSource | None = None) -> None:
        self._speech = speech
        self._grammar: GrammarDecoder | None = None

    def recognise(self, sound: Sound) -> CommandHeard:
        """The command in a sound; raises SpeechUnavailable where no recogniser is installed."""
        if not SAMPLE_RATE // 5 <= len(sound) <= LONGEST_SECONDS * SAMPLE_RATE:
            return nothing_heard()
        if self._speech is not None:
            context = SpeechContext(hotwords=tuple(spoken_commands()))
            return match_command(self._speech.transcribe(sound, context).text)
        if self._grammar is None:
            self._grammar = GrammarDecoder(tuple(spoken_commands()))
        phrase, ratio = self._grammar.decode(sound)
        confidence = 1 / (1 + math.exp(min(50.0, (_RATIO_MIDDLE - ratio) / _RATIO_WIDTH))) if phrase else 0.0
        return CommandHeard(spoken_commands().get(phrase, ""), phrase, confidence, confidence >= 0.5)


def match_command(text: str) -> CommandHeard:
    """The command whose letters are nearest to those of the words heard."""
    from rapidfuzz import fuzz

    said = _letters(text)
    if not said:
        return nothing_heard()
    nearness, phrase = max((fuzz.ratio(said, _letters(phrase)) / 100, phrase) for phrase in spoken_commands())
    return CommandHeard(spoken_commands()[phrase], phrase, nearness, nearness >= ACCEPT_FROM)


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalpha())


class GrammarDecoder:
    """Two pocketsphinx decoders over one sound: the commands alone, and free phones to compare with."""

    def __init__(self, phrases: tuple[str, ...]) -> None:
        try:
            import pocketsphinx
        except (ImportError, OSError) as error:
            raise SpeechUnavailable(f"Spoken commands are off: {error}", "spoken commands") from error
        rules = " | ".join(phrases)
        # The lattice search (bestpath) loses phrases here; the beams may be wide, for the grammar is tiny.
        self._commands = pocketsphinx.Decoder(
            loglevel="FATAL", lm=None, bestpath=False, beam=1e-80, pbeam=1e-80, wbeam=1e-60
        )
        self._commands.add_jsgf_string(
            "commands", f"#JSGF V1.0;\ngrammar commands;\npublic <command> = {rules};\n"
        )
        self._commands.activate_search("commands")
        phones = f"{pocketsphinx.get_model_path()}/en-us/en-us-phone.lm.bin"
        self._phones = pocketsphinx.Decoder(
            loglevel="FATAL", lm=None, dict=None, allphone=phones, lw=2.0, beam=1e-20, pbeam=1e-10
        )

    def decode(self, sound: Sound) -> tuple[str, float]:
        """The best phrase (empty where none fits) and its score per frame less that of free phones."""
        pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
        command, free = _decoded(self._commands, pcm), _decoded(self._phones, pcm)
        frames = max(1, self._commands.n_frames())
        if command is None or free is None or not command.hypstr:
            return "", -1.0
        return command.hypstr, (command.score - free.score) / frames


def _decoded(decoder: pocketsphinx.Decoder, pcm: bytes) -> pocketsphinx.Hypothesis | None:
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=False, full_utt=True)
    decoder.end_utt()
    return decoder.hyp()
