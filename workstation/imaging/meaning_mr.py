"""What an MR series means: its weighting, by Image Type and words, else by its times."""

from __future__ import annotations

from workstation.imaging.dimensions import value_of
from workstation.imaging.headers import FrameHeader
from workstation.imaging.meaning_words import has, number_of, text_of

WEIGHTINGS = frozenset("T1,T2,T2*,FLAIR,STIR,PD,DWI,ADC,FA,SWI,MRA,perfusion,BOLD,field map".split(","))
DIFFUSION = frozenset({"high", "low", "none", "calculated"})
PHASES = frozenset({"dynamic"})
HIGH_B, LOW_B = 500.0, 50.0

BY_TYPE: tuple[tuple[str, frozenset[str]], ...] = (
    ("ADC", frozenset({"ADC", "ADC_UNSPECIFIED"})),
    ("FA", frozenset({"FA", "FRACT_ANISO"})),
    ("perfusion", frozenset({"ASL", "PERFUSION", "RCBF", "RCBV", "CBF", "CBV", "MTT", "TTP", "PBP"})),
    ("BOLD", frozenset({"FMRI", "MOSAIC_FMRI", "TSTAT"})),
    ("SWI", frozenset({"SWI", "MNIP"})),
    ("DWI", frozenset({"DIFFUSION", "TRACEW"})),
)
BY_WORDS: tuple[tuple[str, str], ...] = (
    ("ADC", r"adc|d?adc|apparent diffusion\w*"),
    ("DWI", r"dwi|diff|diffusion|dti|trace\w*|b ?val\w*|b ?1?\d00|resolve"),
    ("SWI", r"swi\w*|swan|venobold|suscept\w*"),
    ("perfusion", r"perf\w*|asl|dsc|rcb[fv]|cb[fv]|mtt|ttp"),
    ("BOLD", r"bold|fmri|func"),
    ("field map", r"field ?map\w*|gre field mapping|b0 ?map|fmap"),
    ("MRA", r"tof|mra|angio|pc ?mra|inhance"),
    ("FLAIR", r"flair|dark fluid|tirm ?df"),
    ("STIR", r"stir|tirm"),
    ("T2*", r"t2 ?\*|t2 ?star|hemo\w*|medic|merge|t2 gre|gre t2"),
    ("PD", r"pd\w{0,3}|proton( density)?|dp"),
    ("T2", r"t2\w{0,2}|ciss|fiesta|haste|ssfse|trufi|true ?fisp"),
    ("T1", r"t1\w{0,2}|mprage|bravo|vibe|lava\w*|thrive|m?dixon|f?spgr|tfl\w*|flash|3d ?tfe|wats"),
)


def weighting(first: FrameHeader, types: frozenset[str], said: str, own: str) -> str:
    """One of `WEIGHTINGS`: by type, by the series' words, by the protocol's, by its times; empty else."""
    by_type = next((name for name, marks in BY_TYPE if types & marks), "")
    if by_type:
        return by_type
    if (number_of(first, "DiffusionBValue") or 0.0) > 0.0:
        return "DWI"
    for words in (own, said):
        found = next((name for name, marks in BY_WORDS if has(words, marks)), "")
        if found:
            return found
    return _by_times(first)


def _by_times(first: FrameHeader) -> str:
    """By TE and TR in ms, TI where there is an inversion; sequences whose times say nothing are empty."""
    te = number_of(first, "EchoTime") or number_of(first, "EffectiveEchoTime")
    tr, ti = number_of(first, "RepetitionTime"), number_of(first, "InversionTime")
    sequence = text_of(first, "ScanningSequence")
    if te is None or tr is None:
        return ""
    if ti and 1500.0 <= ti <= 3000.0 and te > 60.0:
        return "FLAIR"
    if ti and 80.0 <= ti <= 280.0 and tr > 1500.0:
        return "STIR"
    if "GR" in sequence:
        return "T1" if te < 12.0 and tr < 500.0 else "T2*" if te >= 12.0 else ""
    if te < 30.0 and tr < 1000.0:
        return "T1"
    return "T2" if te >= 60.0 and tr > 1500.0 else "PD" if te < 60.0 and tr > 1500.0 else ""


def diffusion(first: FrameHeader, types: frozenset[str], own: str) -> tuple[str, float | None]:
    """How strong the diffusion weighting is, and b in s/mm²; one worked out afterwards is calculated."""
    if has(own, r"\w*calc\w*|synth\w*|syn ?b ?\d+") or types & {"CALC_BVALUE"}:
        return "calculated", None
    b = value_of(first, "b")
    if not isinstance(b, float | int):
        return "", None
    return ("high" if b >= HIGH_B else "low" if b >= LOW_B else "none"), float(b)


def is_fat_suppressed(first: FrameHeader, own: str) -> bool:
    """By Scan Options (0018,0022) FS, or by the words."""
    options = text_of(first, "ScanOptions").replace(" ", "").split("\\")
    return "FS" in options or has(own, r"fs|fat ?sat\w*|spair|spir|stir|tirm|fatsup\w*|water|w dixon|wats")


def phase(weighting: str, own: str) -> str:
    """Whether it is one of a run after contrast."""
    run = weighting in ("", "T1", "T2*", "perfusion") and has(own, r"dyn|dynamic\w*|dce|twist|tricks")
    return "dynamic" if run else ""
