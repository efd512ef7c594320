"""What a scenario may use beyond one CPU target tracking policy; a variant of the loop is compiled with what its scenarios use.

Notes
-----
The functions of the loop read these names as constants. As they stand all are True, and the loop can do everything;
`estimator.simulation.variants` makes copies of the functions in which some are False, and numba leaves out what stands behind those.
"""

#: Anything but one target tracking policy on CPU with datapoints of one step each, which takes its newest datapoint.
SEVERAL_POLICIES: bool = True
#: Requests wait.
QUEUE: bool = True
#: Fargate Spot: shortages, interruptions, its part of the bill.
SPOT: bool = True
#: Launches have a rate.
LAUNCH_RATE: bool = True
#: A quota of tasks, or no task to begin with: what is missing is launched later.
QUOTA: bool = True
#: Scheduled actions and predictive scaling.
BOUNDS: bool = True
#: Deployments and losses of a zone.
DISTURBANCES: bool = True

FEATURES = ("SEVERAL_POLICIES", "QUEUE", "SPOT", "LAUNCH_RATE", "QUOTA", "BOUNDS", "DISTURBANCES")
