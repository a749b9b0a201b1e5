"""The live panels of Resources: the machine, its past, its GPUs and its processes, in the tab and in `top`."""
