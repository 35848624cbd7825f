"""What operators run. Only the composition root imports it.

`configuration` reads every setting, `terminal` is how a command speaks, `demo` is what a sandbox has in it; `commands`
has a module for each group, `doctor` looks a deployment over, `deployment` makes what compose file and systemd need.
"""
