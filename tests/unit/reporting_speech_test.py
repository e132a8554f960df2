"""What speech stands on: sound files, spectrogram, frames, models, lexicon, commands, microphone."""

from __future__ import annotations

import contextlib
import json
import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.domain.errors import InvalidValue
from workstation.reporting.dictation import SpeechContext, SpeechSource, SpeechUnavailable, Utterance, Word
from workstation.reporting.lexicon import Lexicon, disputed_negations
from workstation.reporting.log_mel import SAMPLE_RATE, Sound, log_mel, mel_filters
from workstation.reporting.microphone import Microphone, input_devices
from workstation.reporting.sound import read_sound, resample, sound_of_wave
from workstation.reporting.speech_models import find_model, inspect_folder, models_in
from workstation.reporting.speech_process import SpeechProcess
from workstation.reporting.speech_protocol import sound_from_bytes
from workstation.reporting.spoken_commands import (
    LONGEST_SECONDS,
    CommandListener,
    match_command,
    spoken_commands,
)
from workstation.reporting.whisper import is_silent, repeats, windows


def tone(hertz: float, rate: int, seconds: float = 0.5, amplitude: float = 0.5) -> Sound:
    return np.asarray(
        amplitude * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate), np.float32
    )


def wave(samples: bytes, rate: int = 16_000, bits: int = 16, channels: int = 1, encoding: int = 1) -> bytes:
    width = bits // 8 * channels
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, encoding, channels, rate, rate * width, width, bits)
    body = header + struct.pack("<4sI", b"data", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


# ---------------------------------------------------------------- sound files


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_and_strength_at_16_khz(rate: int) -> None:
    made = resample(tone(440, rate), rate)
    assert abs(len(made) - 8_000) <= 1
    assert np.abs(made - tone(440, 16_000)[: len(made)])[400:-400].max() < 0.002


def test_what_16_khz_cannot_carry_is_taken_out_and_not_folded_down() -> None:
    made = resample(tone(12_000, 48_000), 48_000)
    assert np.abs(made[400:-400]).max() < 0.002


@pytest.mark.parametrize(
    ("encoding", "bits", "samples"),
    [
        (1, 8, np.array([128, 192, 64], np.uint8).tobytes()),
        (1, 16, np.array([0, 16384, -16384], "<i2").tobytes()),
        (1, 24, bytes([0, 0, 0, 0, 0, 64, 0, 0, 192])),
        (1, 32, np.array([0, 1 << 30, -(1 << 30)], "<i4").tobytes()),
        (3, 32, np.array([0, 0.5, -0.5], "<f4").tobytes()),
        (3, 64, np.array([0, 0.5, -0.5], "<f8").tobytes()),
    ],
)
def test_samples_of_every_width(encoding: int, bits: int, samples: bytes) -> None:
    assert sound_of_wave(wave(samples, bits=bits, encoding=encoding)).tolist() == [0.0, 0.5, -0.5]


def test_channels_are_mixed_and_a_file_cut_short_gives_what_is_there(tmp_path: Path) -> None:
    stereo = np.array([[16384, 0], [0, -16384]], "<i2").tobytes()
    assert sound_of_wave(wave(stereo, channels=2)).tolist() == [0.25, -0.25]
    path = tmp_path / "cut.wav"
    path.write_bytes(wave(stereo, channels=2)[:-3])
    assert read_sound(path).tolist() == [0.25]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a RIFF wave"),
        (b"RIFF\x00\x00\x00\x00AVI data", "not a RIFF wave"),
        (b"RIFF\x00\x00\x00\x00WAVE", "no format"),
        (wave(b"")[:36], "no samples"),
        (wave(b"\0\0", channels=0), "0 channels"),
        (wave(b"\0\0", rate=7), "at 7 Hz"),
        (wave(b"\0\0", encoding=85), "encoding 85"),
        (wave(b"\0\0", bits=12), "12 bits"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt \x02\x00\x00\x00\x01\x00", "format chunk of 2 bytes"),
    ],
)
def test_what_is_no_sound_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(InvalidValue, match=why):
        sound_of_wave(data)


def test_a_length_that_lies_is_not_believed() -> None:
    lying = bytearray(wave(np.array([16384], "<i2").tobytes()))
    lying[40:44] = struct.pack("<I", 0xFFFFFFF0)
    assert sound_of_wave(bytes(lying)).tolist() == [0.5]


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_never_anything_else(data: bytes) -> None:
    for made in (data, b"RIFF\0\0\0\0WAVE" + data, wave(b"")[:20] + data):
        with contextlib.suppress(InvalidValue):
            assert sound_of_wave(made).dtype == np.float32


# ---------------------------------------------------------------- spectrogram


def test_a_tone_shines_in_its_band() -> None:
    spectrum = log_mel(tone(1_000, SAMPLE_RATE, 1.0))
    assert spectrum.shape == (80, 3000)
    assert spectrum.dtype == np.float32
    centre = int(np.argmax(mel_filters(80)[:, 25]))  # 1 kHz is bin 25 of 40 Hz
    assert int(spectrum[:, 50].argmax()) == centre
    assert spectrum[:, 200:].max() == spectrum.min(), "silence behind it lies at the floor"
    assert spectrum.max() - spectrum.min() == pytest.approx(2.0), "8 decades over 4"


def test_filters_are_triangles_of_unit_area() -> None:
    filters = mel_filters(80)
    assert filters.shape == (80, 201)
    assert (filters >= 0).all()
    assert filters[40:].sum(axis=1) * 40 == pytest.approx(np.ones(40), abs=0.1)


def test_a_window_too_long_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at most"):
        log_mel(np.zeros(31 * SAMPLE_RATE, np.float32))


def test_long_sound_is_cut_where_it_is_quiet() -> None:
    sound = tone(300, SAMPLE_RATE, 70.0)
    quiet = 24 * SAMPLE_RATE
    sound[quiet : quiet + SAMPLE_RATE // 2] = 0
    pieces = windows(sound)
    assert quiet <= pieces[1][0] <= quiet + SAMPLE_RATE // 2
    assert sum(len(piece) for _, piece in pieces) == len(sound)
    assert max(len(piece) for _, piece in pieces) <= 30 * SAMPLE_RATE


def test_silence_and_repetition_are_seen() -> None:
    assert is_silent(np.zeros(SAMPLE_RATE, np.float32))
    assert is_silent(np.zeros(3, np.float32))
    assert not is_silent(tone(300, SAMPLE_RATE, 0.1))
    assert repeats("No effusion is seen here. No effusion is seen here.")
    assert repeats("the the the the the the the the the the the the the the the the the the the the the the")
    assert not repeats("No pleural effusion. No pericardial effusion. No pneumothorax is seen.")


# ---------------------------------------------------------------- frames, models


def test_samples_that_are_no_numbers_become_silence() -> None:
    body = np.array([np.nan, np.inf, -np.inf, 0.5], "<f4").tobytes() + b"\x01"
    assert sound_from_bytes(body).tolist() == [0.0, 1.0, -1.0, 0.5]


def test_the_installed_model_is_found() -> None:
    model = find_model()
    assert model.name == "Whisper tiny.en"
    assert (model.folder / "model.bin").stat().st_size > 50_000_000


def whisper_folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"x")
    (folder / "config.json").write_text(json.dumps({"suppress_ids": []}), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    return folder


def test_a_folder_dropped_in_is_used_or_named(tmp_path: Path) -> None:
    good = whisper_folder(tmp_path / "small.en")
    vosk = tmp_path / "vosk"
    (vosk / "am").mkdir(parents=True)
    (vosk / "am" / "final.mdl").write_bytes(b"x")
    (tmp_path / "pictures").mkdir()
    found = models_in([tmp_path, tmp_path / "gone"])
    assert [(model.name, model.usable) for model in found] == [
        ("Whisper tiny.en", True),
        ("small.en", True),
        ("vosk", False),
    ]
    assert "Vosk" in found[2].reason
    assert find_model(good).folder == good


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "model.bin").unlink(), "no speech model"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "without its tokenizer"),
        (lambda folder: (folder / "config.json").write_text("{}"), "no Whisper"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be read"),
    ],
)
def test_an_unusable_folder_is_refused_in_words(tmp_path: Path, spoil: object, why: str) -> None:
    folder = whisper_folder(tmp_path / "model")
    spoil(folder)  # type: ignore[operator]  # one of the lambdas above
    assert why in inspect_folder(folder).reason
    with pytest.raises(SpeechUnavailable, match="Dictation is off"):
        find_model(folder)


def test_without_a_model_dictation_says_so_and_starts_nothing(tmp_path: Path) -> None:
    speech = SpeechProcess(inspect_folder(tmp_path))
    assert isinstance(speech, SpeechSource)
    assert speech.pid is None
    speech.close()
    with pytest.raises(SpeechUnavailable):
        speech.transcribe(np.zeros(10, np.float32), SpeechContext())
    assert speech.pid is None


# ---------------------------------------------------------------- lexicon, commands


def test_words_of_reports_are_known_in_both_numbers() -> None:
    lexicon = Lexicon(["tree-in-bud", "Bochdalek hernia"])
    assert lexicon.known("Pleural effusions and a Bochdalek hernia.") == 4
    assert lexicon.known("plural confusion") == 0


@pytest.mark.parametrize(
    ("best", "other", "marked"),
    [
        ("No acute hemorrhage.", "Acute hemorrhage.", ["No"]),
        ("Acute hemorrhage, mass.", "No acute hemorrhage, mass.", ["Acute"]),
        ("The lungs are clear.", "The lungs aren't clear.", ["are"]),
        ("It is not dilated.", "It is heart dilated.", ["not"]),
        ("No mass.", "No mass", []),
        ("A small mass.", "A tall mass.", []),
    ],
)
def test_a_denial_that_another_reading_lacks_is_unsure(best: str, other: str, marked: list[str]) -> None:
    words = best.split()
    assert [words[place] for place in sorted(disputed_negations(words, [other]))] == marked


def test_only_what_can_be_taken_back_may_be_said() -> None:
    commands = spoken_commands()
    assert commands["next field"] == "report.next_field"
    assert not any(
        word in command for command in commands.values() for word in ("sign", "send", "delete", "final")
    )


@pytest.mark.parametrize(
    ("heard", "command", "accepted"),
    [
        ("Next field.", "report.next_field", True),
        ("accept default!", "report.accept_defaults", True),
        ("Go to the impression.", "report.go_to_impression", True),
        ("measurement.", "report.insert_measurement", False),
        ("The lungs are clear.", "", False),
        ("", "", False),
    ],
)
def test_words_are_matched_to_commands_closely(heard: str, command: str, accepted: bool) -> None:
    found = match_command(heard)
    assert found.accepted is accepted
    if accepted:
        assert found.command == command


class Prepared:
    """A speech source that has heard one thing."""

    name = "prepared"

    def __init__(self, text: str) -> None:
        self.text = text
        self.contexts: list[SpeechContext] = []

    def transcribe(self, sound: Sound, context: SpeechContext) -> Utterance:
        self.contexts.append(context)
        return Utterance(self.text, (Word(self.text, 0, 1, 1),))

    def close(self) -> None:
        return None


def test_a_sound_as_long_as_dictation_is_no_command() -> None:
    speech = Prepared("next field")
    listener = CommandListener(speech)
    assert listener.recognise(np.ones(int((LONGEST_SECONDS + 1) * SAMPLE_RATE), np.float32)).accepted is False
    assert speech.contexts == []
    assert listener.recognise(np.ones(SAMPLE_RATE, np.float32)).command == "report.next_field"
    assert "next field" in speech.contexts[0].hotwords


# ---------------------------------------------------------------- microphone


def test_without_portaudio_the_microphone_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    for ask in (input_devices, Microphone().start):
        with pytest.raises(SpeechUnavailable, match="libportaudio2"):
            ask()


class Hardware(types.ModuleType):
    """A microphone of 48 kHz in place of the one this machine has not."""

    class PortAudioError(Exception):
        """As the library has it."""

    def __init__(self, channels: int) -> None:
        super().__init__("sounddevice")
        self.row = {"name": "Desk", "max_input_channels": channels, "default_samplerate": 48_000.0}
        self.default = types.SimpleNamespace(device=[0, 0])
        self.fails = ""

    def query_devices(self, device: int | None = None, kind: str | None = None) -> object:
        return self.row if kind else [self.row]

    def InputStream(self, *, callback: object, **wanted: object) -> object:  # noqa: N802 - the library's own name
        if self.fails:
            raise self.PortAudioError(self.fails)
        assert wanted == {"samplerate": 48_000, "device": None, "channels": 1, "dtype": "float32"}

        def start() -> None:
            for block in tone(440, 48_000).reshape(-1, 480, 1):
                callback(block, len(block), None, None)  # type: ignore[operator]  # the microphone's own method

        return types.SimpleNamespace(start=start, stop=lambda: None, close=lambda: None)


def test_a_recording_comes_back_at_16_khz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", Hardware(1))
    microphone = Microphone()
    assert input_devices()[0].default
    microphone.start()
    assert microphone.recording
    assert microphone.level == pytest.approx(0.5 / np.sqrt(2), abs=0.01)
    sound = microphone.stop()
    assert np.abs(sound - tone(440, 16_000))[400:-400].max() < 0.002
    assert len(microphone.stop()) == 0


def test_no_device_and_a_device_that_is_taken_are_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", Hardware(0))
    with pytest.raises(SpeechUnavailable, match="No microphone is connected"):
        Microphone().start()
    taken = Hardware(1)
    taken.fails = "Device unavailable"
    monkeypatch.setitem(sys.modules, "sounddevice", taken)
    microphone = Microphone()
    with pytest.raises(SpeechUnavailable, match="Device unavailable"):
        microphone.start()
    assert not microphone.recording
