"""Requests by right, as those see them who ask and those who answer.

| module | what |
|---|---|
| ``public`` | the form for whoever is not signed in, and what stands behind the link to a request |
| ``own`` | one's own, for who is signed in |
| ``officer`` | the queue and one request, for the data protection officer |
| ``linked`` | behind the code of a patient's or a guest's link |
| ``facts`` | what all of them say of a request |
"""
