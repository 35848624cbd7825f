"""A participant without a browser: speaks docs/protocol.md over REST, Socket.IO and aiortc.

    async with Rest(url) as rest:
        await rest.sign_in(token)
        async with practitioner(rest, appointment, {"microphone": Tone(), "camera": Pattern()}) as person:
            await person.admit(waiting)

Importing the parts one by one (`e2ee`, `handshake`, `keyring`, `media`) works without a server.
"""
