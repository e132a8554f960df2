"""Templates, the report being written, dictation, and the checks before it is signed. Qt-free.

Everything here is immutable values and plain functions, but for two things that hold something open: the
speech child process and the microphone. Nothing calls back: a change to a draft is a new draft.

``facts``
    ``OrderFacts(patient_id, patient_name, sex, age, accession, study_uid, study_date, modality,
    body_part, laterality, procedure, indication, question, technique, comparison, contrast, referrer)``:
    all text, all optional. What templates are chosen by, merge fields are filled from and the checks
    compare with. ``facts_of(dossier, compared=()) -> OrderFacts``.
``templates``
    ``TemplateLibrary(folders=())``: the shipped templates and those of a site's own folders.
    ``.templates``, ``.refused`` (``.path .reason``), ``.by_identifier(id)``, ``.choose(facts) ->
    TemplateChoice`` (``.template .reason .others``), ``.import_file(path, into) -> Template``.
    ``read_template(html, source) -> Template`` (raises ``TemplateRefused``), ``template_html(template)``.
    ``Template`` has ``.identifier .title .sections .fields .hotwords``; a ``TemplateSection``
    ``.identifier .heading .level .code .paragraphs``; a ``Paragraph`` ``.parts`` (``str``, ``Label``,
    ``TemplateField``) and ``.fields``; a ``TemplateField`` ``.identifier .label .kind`` (``FieldKind``:
    text, textarea, number, date, time, selection) ``.choices .multiple .open .default .completion``
    (``CompletionAction``: none, alert, prohibit) ``.merge .minimum .maximum .hint .code``.
``composer``
    ``start_draft(template, facts=None) -> Draft``, and from a ``Draft`` always a new one:
    ``set_text(draft, field_id, text, caret=None)`` · ``insert_text(draft, text)`` at the cursor, in place
    of the selection · ``insert_dictation(draft, words)`` with spacing and capitals ·
    ``insert_measurement(draft, quote)`` · ``update_measurement(draft, quote)`` ·
    ``remove_measurement(draft, tracking_uid)`` · ``edit_shown(draft, field_id, text, caret=None)`` for an
    editor that shows measurements in words · ``move_to(draft, field_id, caret=None)`` ·
    ``next_field(draft)`` · ``previous_field(draft)`` · ``accept_defaults(draft)`` ·
    ``change_template(draft, template, facts)`` · ``freeze(draft)``. ``Draft`` has ``.fields`` (in order)
    ``.values`` (raw text by field, ``{m1}`` inside) ``.cursor`` (``.field_id .caret .anchor``, in raw
    text) ``.quotes`` (``MeasurementQuote`` by name) ``.untouched`` (fields that still hold the template's
    text) ``.study_uid .frozen``. ``shown(draft, field_id) -> Shown`` (``.text .spans``, ``.to_raw(n)``,
    ``.to_shown(n)``; a ``Span`` has ``.start .end .tracking_uid``). ``report_sections(draft)``: what is
    signed; ``plain_text(draft)``. ``changes_since(before, after)`` → ``FieldChange``s.
    ``History(draft)``: ``.draft``, ``.do(draft, typing=False)``, ``.undo()``, ``.redo()``, ``.can_undo``,
    ``.can_redo``, ``.update_measurement(quote)`` (use this one for live numbers: it mends the past as
    well, so that undo never brings back an old number). ``draft_to_json(draft)`` ·
    ``draft_from_json(text)`` (raises ``InvalidValue``): what a spool saves after every change and the
    archive keeps as ``DraftView.content``.
``placeholders``
    ``MeasurementQuote(tracking_uid, label, values, unit, series_number, image_number, prior_values,
    prior_date)``; ``.text`` is ``"Nodule 12 mm (series 3, image 45), was 9 mm on 2026-03-02, +33 %"``.
    ``quote_of(measurement, prior=None, prior_date="", quantity="") -> MeasurementQuote``.
``completeness``
    ``check(draft, situation) -> tuple[SignFinding, ...]``, blocking ones first; each ``.code .severity``
    (``Severity.BLOCK`` / ``ALERT``) ``.message .field_id .start .end`` (in shown text).
    ``may_sign(findings)``. ``Situation(facts, open_patient_id, open_study_uid, images_total,
    images_viewed, images_shown, images_expected, still_arriving, critical_recorded, image_laterality,
    prior_dates, measured, unsure)``;
    ``situation_of(dossier, ...)``.
``dictation``
    ``SpeechSource`` Protocol: ``.name``, ``.transcribe(sound, context) -> Utterance``, ``.close()``.
    ``sound`` is mono float32 at 16 kHz. ``SpeechContext(prompt, hotwords)``; ``Utterance`` has ``.text
    .words`` (``Word``: ``.text .start .end .probability``, seconds) ``.alternatives .seconds .took
    .engine``. ``context_for(draft, facts=None) -> SpeechContext``. ``SpeechUnavailable``: words for the
    reader.
``speech_process``
    ``SpeechProcess(model=None, idle_seconds=300)``: the offline engine in a child process, a
    ``SpeechSource``. Blocking: call it from a task thread. ``.warm()`` at microphone press,
    ``.transcribe(...)`` at release, ``.recognise_command(sound) -> CommandHeard`` (``.command .phrase
    .confidence .accepted``), ``.release()``, ``.close()``, ``.pid``.
``speech_models``
    ``find_model(folder=None) -> SpeechModel``; ``models_in(folders) -> tuple[SpeechModel, ...]``.
``sound`` and ``microphone``
    ``read_sound(path) -> sound``; ``Microphone(device=None)``: ``.start()``, ``.level``, ``.stop() ->
    sound``; ``input_devices()``. Raises ``SpeechUnavailable`` in words where PortAudio or a device is
    missing.
``speech_engine``
    ``main(argv) -> int``: the child; ``python -m workstation.reporting.speech_engine``, or the hidden
    subcommand ``speech-engine`` of a frozen program.
``spoken_commands``
    ``spoken_commands()``: phrase → command identifier, e.g. ``"next field"`` → ``"report.next_field"``; all
    reversible.
"""
