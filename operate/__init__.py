"""What operators run. Only the composition root imports it.

`configuration` reads every setting, `terminal` is how a command speaks, `demo` is what a sandbox has in it; `commands`
has a module for each group, `doctor` looks a deployment over, `deployment` makes what compose file and systemd need.

``process`` is what is asked of the operating system, ``founding`` the organisation as settings say it is, ``tls`` and
``certificates`` vouch where nobody else does; ``setting_names`` and ``setting_faults`` say what is wrong with a
setting.
"""
