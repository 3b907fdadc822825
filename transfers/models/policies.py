from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext, gettext_lazy

from calls.models import Department

seconds = (MinValueValidator(1), MaxValueValidator(3600))


class Policy(models.Model):
    """How a department escalates. A department without one has these defaults."""

    class Approval(models.TextChoices):
        AUTO = "auto", gettext_lazy("Dial at once")
        APPROVE = "approve", gettext_lazy("A supervisor approves")
        AUTO_AFTER = "auto_after", gettext_lazy("Dial unless stopped in time")

    class AtLimit(models.TextChoices):
        DIAL = "dial", gettext_lazy("Dial")
        RETURN = "return", gettext_lazy("Back to the AI")
        CALLBACK = "callback", gettext_lazy("Offer a callback")

    class WhenBusy(models.TextChoices):
        AI = "ai", gettext_lazy("Waits in line, talking to the AI")
        HOLD = "hold", gettext_lazy("Waits in line, on hold")
        RETURN = "return", gettext_lazy("Does not wait: back to the AI")

    class AfterHangUp(models.TextChoices):
        ASK = "ask", gettext_lazy("The AI asks whether there is anything else")
        END = "end", gettext_lazy("The call ends")

    department = models.OneToOneField(Department, on_delete=models.CASCADE, related_name="policy")
    approval = models.CharField(max_length=12, choices=Approval, default=Approval.AUTO)
    auto_after_s = models.PositiveSmallIntegerField(
        gettext_lazy("auto after (s)"),
        default=15,
        validators=seconds,
        help_text=gettext_lazy("With “Dial unless stopped in time”."),
    )
    approval_limit_s = models.PositiveSmallIntegerField(
        gettext_lazy("approval limit (s)"), default=60, validators=seconds
    )
    at_limit = models.CharField(
        gettext_lazy("when the limit passes"), max_length=8, choices=AtLimit, default=AtLimit.RETURN
    )
    max_attempts = models.PositiveSmallIntegerField(
        default=3,
        validators=(MinValueValidator(1), MaxValueValidator(10)),
        help_text=gettext_lazy("Phones tried in turn."),
    )
    next_endpoint_first = models.BooleanField(
        default=False, help_text=gettext_lazy("Try a manager's next phone before the next manager.")
    )
    when_busy = models.CharField(
        gettext_lazy("when all are busy"),
        max_length=8,
        choices=WhenBusy,
        default=WhenBusy.AI,
        help_text=gettext_lazy("The caller's place."),
    )
    queue_limit_s = models.PositiveSmallIntegerField(
        gettext_lazy("longest wait in line (s)"), default=300, validators=seconds
    )
    after_hang_up = models.CharField(
        gettext_lazy("when the manager hangs up"),
        max_length=8,
        choices=AfterHangUp,
        default=AfterHangUp.ASK,
        help_text=gettext_lazy(
            "After at least 15 s of talk; before that, and when the line is cut, they are called again."
        ),
    )
    offers_callback = models.BooleanField(
        default=True, help_text=gettext_lazy("The AI may promise that somebody calls back.")
    )
    callback_within_min = models.PositiveSmallIntegerField(
        gettext_lazy("callback due (min)"),
        default=240,
        validators=(MinValueValidator(5), MaxValueValidator(10_080)),
    )
    ai_may_refer = models.BooleanField(
        gettext_lazy("AI may transfer without a briefing"),
        default=False,
        help_text=gettext_lazy(
            "A cold transfer: the caller's own carrier calls the manager, and we are out of it."
        ),
    )
    hold_limit_s = models.PositiveSmallIntegerField(
        gettext_lazy("hold limit (s)"), default=180, validators=seconds
    )
    consultation_limit_s = models.PositiveSmallIntegerField(
        gettext_lazy("consultation limit (s)"),
        default=120,
        validators=seconds,
        help_text=gettext_lazy("From the answer to a decision."),
    )
    wrap_up_s = models.PositiveSmallIntegerField(
        gettext_lazy("wrap-up (s)"),
        default=0,
        validators=(MaxValueValidator(3600),),
        help_text=gettext_lazy("After a call, before the manager is rung again."),
    )
    away_after_misses = models.PositiveSmallIntegerField(
        default=3,
        validators=(MaxValueValidator(20),),
        help_text=gettext_lazy("Unanswered calls in a row, then away until their next shift; 0: never."),
    )
    hold_line = models.TextField(default="I am connecting you with a colleague. Please hold the line.")
    progress_line = models.TextField(default="Thank you for holding. We are still trying to reach a colleague.")

    class Meta:
        verbose_name_plural = gettext_lazy("policies")

    def __str__(self) -> str:
        return (
            gettext("Policy of %(department)s") % {"department": self.department}
            if self.department_id
            else gettext("The defaults")
        )
