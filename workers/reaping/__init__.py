"""What nobody needs any more on this host goes: containers, networks and volumes of closed runs and of earlier tries.

    list -> ask Temporal -> decide (pure) -> wait out the grace (pure) -> remove

Never anything without orca's labels, never anything of a live try, never anything while Temporal cannot be asked.
"""
