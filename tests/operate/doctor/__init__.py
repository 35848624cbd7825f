"""Every finding of `doctor`, made to appear and to go away."""
