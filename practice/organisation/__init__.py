"""The organisation that accounts belong to: what it is called, who is a member of it, and in which roles.

An organisation owns its profile and its members; its key opens no appointment.

Begin at ``rights`` (who may do what: one table) and ``standings`` (who somebody is, asked for at everything);
``reach`` is whom they look after.

| place | what is there |
|---|---|
| ``founding``, ``first`` | how one begins |
| ``joining``, ``newcomers``, ``invitations`` | how somebody becomes a member |
| ``arrivals`` | who registered by themselves and waits to be let in |
| ``store``, ``departments`` | what it says of itself, its members and their roles, its parts |
| ``handing``, ``recovery`` | what becomes of what a member has to come; of who lost every way in |
| ``one_each`` | what stores of what it has one of at most begin with |
| ``oversight`` | the audit trail, with the names of its people alone |
| ``ending`` | how it ends |
"""
