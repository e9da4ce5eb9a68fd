"""Who must hear about it, and when: policies, the timers of each incident, and what was sent to whom."""

from escalation.models.chases import Chase, ChaseRule
from escalation.models.devices import PushDevice
from escalation.models.drills import Drill, DrillPlan, Weekday
from escalation.models.inbound import Did, Inbound
from escalation.models.listeners import Listener, ListenerKind, Post, PostState, Unposted
from escalation.models.messages import (
    TOKEN_ALPHABET,
    Delivery,
    DeliveryQuerySet,
    DeliveryState,
    Notification,
    NotificationQuerySet,
    Rank,
    Reason,
    new_token,
)
from escalation.models.policy import Clock, Policy, PolicyQuerySet
from escalation.models.providers import ProviderHealth
from escalation.models.storms import Storm
from escalation.models.timers import Run, Timer, TimerQuerySet, TimerState, Unread
from escalation.models.watch import Heartbeat, TurnCount
from plant.models import Channel

__all__ = [
    "TOKEN_ALPHABET",
    "Channel",
    "Chase",
    "ChaseRule",
    "Clock",
    "Delivery",
    "DeliveryQuerySet",
    "DeliveryState",
    "Did",
    "Drill",
    "DrillPlan",
    "Heartbeat",
    "Inbound",
    "Listener",
    "ListenerKind",
    "Notification",
    "NotificationQuerySet",
    "Policy",
    "PolicyQuerySet",
    "Post",
    "PostState",
    "ProviderHealth",
    "PushDevice",
    "Rank",
    "Reason",
    "Run",
    "Storm",
    "Timer",
    "TimerQuerySet",
    "TimerState",
    "TurnCount",
    "Unposted",
    "Unread",
    "Weekday",
    "new_token",
]
