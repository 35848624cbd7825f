"""Requests by right, as those see them who ask and those who answer.

| module | what |
|---|---|
| ``public`` | the form for whoever is not signed in, and what stands behind the link to a request |
| ``own`` | one's own, for who is signed in |
| ``officer`` | the queue and one request, for the data protection officer |
| ``reports`` | forms to report that something leaked, or that data of a child is held |
| ``minors`` | what an officer does with the second |
| ``identity`` | where somebody whom nobody knows shows who they are |
| ``linked`` | behind the code of a patient's or a guest's link |
| ``facts`` | what all of them say of a request |
"""
