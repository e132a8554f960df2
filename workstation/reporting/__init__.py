"""Templates, the report being written, dictation, and the checks before it is signed. Qt-free.

Everything here is immutable values and plain functions, but for two things that hold something open: the
speech child process and the microphone. Nothing calls back: a change to a draft is a new draft.

``facts``
    ``OrderFacts(patient_id, patient_name, sex, age, accession, study_uid, modality, body_part, laterality,
    procedure, indication, question, technique, comparison, contrast)``: all text, all optional. What templates
    are chosen by, merge fields are filled from and the checks compare with.
``templates``
    ``TemplateLibrary(folders=())``: the shipped templates and those of a site's own folders.
    ``.templates``, ``.refused`` (path and reason), ``.by_identifier(id)``, ``.choose(facts) -> TemplateChoice``
    (``.template``, ``.reason``, ``.others``), ``.import_file(path, into) -> Template``.
    ``read_template(html, source="") -> Template`` (raises ``TemplateRefused``), ``template_html(template) -> str``.
    ``Template`` has ``.identifier .title .sections``; a ``TemplateSection`` ``.identifier .heading .level .code
    .paragraphs``; a ``TemplateField`` ``.identifier .label .kind`` (``FieldKind``: text, textarea, number, date,
    time, selection) ``.choices .default .completion`` (``CompletionAction``: none, alert, prohibit) ``.merge
    .unit .minimum .maximum .multiple .section``.
``composer``
    ``start_draft(template, facts=OrderFacts()) -> Draft``, and from a ``Draft`` always a new one:
    ``set_text(draft, field_id, text, caret=None)`` · ``insert_text(draft, text, replace=0)`` at the cursor ·
    ``insert_dictation(draft, utterance_text)`` with spacing and capitals · ``insert_measurement(draft, quote)`` ·
    ``update_measurement(draft, quote)`` · ``remove_measurement(draft, tracking_uid)`` ·
    ``edit_shown(draft, field_id, shown, caret)`` for an editor that shows measurements as text ·
    ``move_to(draft, field_id, caret=None)`` · ``next_field(draft)`` · ``previous_field(draft)`` ·
    ``accept_defaults(draft)`` · ``change_template(draft, template, facts)`` · ``freeze(draft) -> Draft``.
    ``Draft`` has ``.fields`` (in order) ``.values`` (raw text by field, ``{m1}`` inside) ``.cursor``
    (``.field_id``, ``.caret``) ``.quotes`` (``MeasurementQuote`` by name) ``.frozen``.
    ``shown(draft, field_id) -> Shown`` (``.text``, ``.spans`` with tracking UID, ``.to_raw(n)``, ``.to_shown(n)``).
    ``report_sections(draft) -> tuple[pacs_core.domain.report.Section, ...]`` · ``plain_text(draft) -> str``.
    ``changes_since(before, after) -> tuple[FieldChange, ...]``; ``History(draft)`` with ``.draft``, ``.do(draft,
    typing=False)``, ``.undo()``, ``.redo()``, ``.can_undo``, ``.can_redo``.
    ``draft_to_json(draft) -> str`` · ``draft_from_json(text) -> Draft`` (raises ``InvalidValue``): what a spool
    saves after every change.
``placeholders``
    ``MeasurementQuote(tracking_uid, label, value, unit, series_number, image_number, prior_value, prior_date)``,
    ``.text`` is ``"Nodule 12 mm (series 3, image 45), was 9 mm on 2026-03-02, +33 %"``.
    ``quote_of(measurement, prior=None, prior_date="", quantity="") -> MeasurementQuote``.
``completeness``
    ``check(draft, situation) -> tuple[SignFinding, ...]``, each ``.code .severity`` (``Severity.BLOCK`` / ``ALERT``)
    ``.message .field_id .start .end``. ``Situation(facts, open_patient_id, open_study_uid, images_total,
    images_viewed, images_expected, still_arriving, critical_recorded, image_laterality, prior_dates)``.
    ``may_sign(findings) -> bool``: no BLOCK among them; ALERTs are asked about.
``dictation``
    ``SpeechSource`` Protocol: ``.name``, ``.transcribe(sound, context) -> Utterance``, ``.close()``. ``sound`` is mono
    float32 at 16 kHz. ``SpeechContext(prompt, hotwords)``; ``Utterance`` has ``.text .words`` (``Word``: ``.text
    .start .end .probability``, seconds) ``.alternatives .seconds .took .engine .refusal``.
    ``context_for(draft, facts) -> SpeechContext``.
    ``SpeechProcess(model=None, idle_seconds=300)`` is the offline engine in a child process. Blocking: call it from a
    task thread. ``.warm()`` at microphone press, ``.transcribe(...)`` at release, ``.recognise_command(sound) ->
    CommandHeard`` (``.command``, ``.phrase``, ``.confidence``, ``.accepted``), ``.release()``, ``.close()``, ``.pid``.
    Raises ``SpeechUnavailable`` (words for the reader). ``find_model(folder=None) -> SpeechModel``,
    ``speech_models(folders) -> tuple[SpeechModel, ...]``.
``sound``
    ``read_sound(path) -> sound``, ``resample(samples, rate, 16000)``.
``microphone``
    ``Microphone(device=None)``: ``.start()``, ``.level``, ``.stop() -> sound``; ``input_devices()``. Raises
    ``SpeechUnavailable`` in words where PortAudio or a device is missing.
``speech_engine``
    ``main(argv) -> int``: the child; ``python -m workstation.reporting.speech_engine``, or the hidden subcommand
    ``speech-engine`` of a frozen program.
``spoken_commands``
    ``SPOKEN_COMMANDS``: phrase → command identifier, e.g. ``"next field"`` → ``"report.next_field"``; all reversible.
"""
