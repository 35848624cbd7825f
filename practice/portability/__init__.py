"""All that is somebody's, taken along to another program and taken back (S-46).

| module | what |
|---|---|
| ``archive`` | a ZIP with AES-256, written while it is fetched |
| ``opened`` | the same, read within bounds |
| ``tables`` | CSV that no spreadsheet takes for a formula |
| ``fhir`` | appointments as FHIR R4 resources, and what we check of them |
| ``file`` | what is in the archive, in pieces |
| ``format`` | what tells an archive of ours from another |
| ``reader``, ``reading`` | an archive of ours, opened by a program of its own with bounds on what it takes |
| ``taken``, ``store`` | what it holds, checked as a whole before anything is written; written as a whole |
"""
