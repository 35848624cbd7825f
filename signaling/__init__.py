"""The application for machines: REST, Socket.IO, sign-in, placement of rooms on media workers, health, logs.

| place | what is there |
|---|---|
| ``app``, ``routes``, ``gate`` | the application put together; every REST address; the Socket.IO side |
| ``protocol``, ``schema`` | the one registry of what crosses the wire, and the descriptions made from it |
| ``rest`` | REST handlers, a module for each context |
| ``sockets`` | a connection of a client: what may come, what is sent, how it ends |
| ``handlers``, ``consults`` | what a client event does; the live consults as this node sees them |
| ``placement``, ``presence``, ``drain`` | rooms on media workers; nodes that come and go |
| ``greeting``, ``announcing`` | whose waiting room somebody sees; what all in it are told |
| ``walking_in`` | who comes to an open hour, and keeps or loses their place |
| ``window`` | when a patient's link opens it |
| ``replays``, ``traces`` | what a page may have missed; what there is of an appointment in Redis |
| ``sessions``, ``session_use``, ``tickets``, ``refresh``, ``admission`` | who somebody is, and for how long |
| ``scopes`` | whose records somebody gets at |
| ``passwords``, ``second_factor``, ``challenges``, ``devices`` | how somebody signs in, step by step |
| ``link_codes`` | the code that a patient's link may ask for, and what a device has that typed it |
| ``exports`` | who may fetch what somebody takes along, once |
| ``limiter``, ``turnstile``, ``addresses``, ``forwarded`` | how often, how many at once, and from where |
| ``aside``, ``forgotten``, ``registering`` | what strangers ask for: a new password, an account |
| ``news``, ``leaving``, ``dissolving`` | mail about sign-ins; what ends for whom |
| ``couriers``, ``mailing`` | who tells patients, and who has an account; what stands above it |
| ``requesting``, ``mailed_requests`` | what people ask for by right, on its way to who answers |
| ``service_notices``, ``yearly``, ``demanded`` | what everybody is told, and what one is told later |
| ``counting`` | what of a consult is counted |
| ``pushing`` | which browsers are told that somebody waits |
| ``health``, ``metrics``, ``logs`` | what an operator sees |
| ``redis``, ``redis_child``, ``redis_faults``, ``fake_redis`` | the Redis that there always is |
| ``listener``, ``connection``, ``memory``, ``tasks``, ``derived`` | port, memory, tasks, keys of the one secret |
| ``settings``, ``setting_forms``, ``typedefs``, ``middlewares`` | what is set, carried, and done around each request |
"""
