"""A client of the signaling API (docs/protocol.md): REST, Socket.IO, key handshake, encrypted media.

    async with Rest(url) as rest:
        await rest.sign_in(mail, password)
        async with practitioner(rest, appointment, {"microphone": Tone(), "camera": Pattern()}) as me:
            await me.watch()
            await me.admit(waiting)

Each layer works without those above it:

- `e2ee`, `handshake`, `tally`, `keyring`: cryptography and what is remembered of it, no I/O. `exchange`: handshakes as
  the room's membership changes.
- `rest`, `wire`: one call, one connection. `link`: a connection that comes back by itself.
- `sealing`, `media`: aiortc with encrypted frames. `synthetic`: sound and pictures to send and to recognise.
- `media_session`: a connection as long as the room says so. `chat`, `waiting_room`, `group`, `participant`: a whole
  participant of a consult.
- `probe`: two of them through everything that a server does, each step timed. `errors`: what may go wrong.
"""
