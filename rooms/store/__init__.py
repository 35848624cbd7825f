"""Storage of the domain: one ``Store`` per process.

    async with open_store(settings, now=utc_now) as store:
        store.retention.on_destroy = forget          # async (appointment id) -> None: caches, Redis traces
        store.retention.in_progress = is_live        # async (appointment id) -> bool: a consult that is waited for
        await store.retention.catch_up()             # before the port opens
        task_group.create_task(store.retention.run())

    store.locked -> str | None                       # a sentence for the operator; every call then raises code `locked`
    await store.ping()                               # raises RoomsError("try_again") when the database does not answer

    store.practitioners
        add(mail, password, display_name, language, retention="30d") -> Practitioner   # `conflict`, `invalid`
        authenticate(mail, password) -> Practitioner | None        # argon2id; the same work for an unknown address
        get(id) -> Practitioner                                     # `not_found`
        by_mail(mail) -> Practitioner | None
        preview_retention(id, setting) -> int                       # living appointments it destroys within 60 s
        set_retention(id, setting) -> int                           # the same number, done
    store.sessions
        create(practitioner_id) -> token;  practitioner(token) -> id | None;  end(token);  end_all(practitioner_id)
    store.appointments
        create(owner, patient, starts_at, minutes, language) -> Appointment             # `invalid`
        get(owner, id) -> Appointment                               # `not_found`; `gone` once destroyed or past due
        list(owner, first_day, last_day) -> list[Appointment]       # inclusive local days, sorted by start
        by_link(id, secret) -> Appointment | None                   # constant work
        by_id(id) -> Appointment                                    # for the consult itself; `not_found`, `gone`
        end(id) -> Appointment                                      # idempotent: the first end counts
        receipts(owner) -> list[Receipt]                            # newest first
    store.retention
        destroy(owner, id) -> Receipt;  sweep() -> int;  run();  catch_up() -> int;  status() -> RetentionStatus

Times are aware; ``now`` returns aware UTC. Errors are ``RoomsError`` with a code; ``open_store`` raises ``StartRefused``.
With ``exclusive=False`` (a command beside a running server) the data folder is not locked.
"""
