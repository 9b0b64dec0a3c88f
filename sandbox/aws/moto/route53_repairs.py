"""Health checks keep what was declared.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html. moto dropped the alarm of a CLOUDWATCH_METRIC check
and what insufficient data means, gave HTTPS checks port 80 and no SNI, and counted no versions.
"""

from moto.route53.models import HealthCheck
from moto.route53.responses import Route53

ENDPOINT_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")


def remember(check, parameter):
    """Takes over what moto has no place for; `parameter(name)` is None where the request does not say."""
    if parameter("AlarmIdentifier") is not None:
        check.alarm = parameter("AlarmIdentifier")
    if parameter("InsufficientDataHealthStatus") is not None:
        check.insufficient = parameter("InsufficientDataHealthStatus")


def apply():
    create, update, config = Route53.create_health_check, Route53.update_health_check, HealthCheck.health_check_config.fget

    def create_health_check(self):
        result = create(self)
        declared, check = self._get_param("HealthCheckConfig"), result.result["HealthCheck"]
        remember(check, declared.get)
        if check.type_ in ("HTTPS", "HTTPS_STR_MATCH"):
            check.port = declared.get("Port") or 443
            check.enable_sni = declared.get("EnableSNI") is not False
        return result

    def update_health_check(self):
        result = update(self)
        check = result.result["HealthCheck"]
        remember(check, self._get_param)
        check.health_check_version += 1
        return result

    def health_check_config(self):
        declared = config(self)
        if self.type_ not in ENDPOINT_TYPES:
            # "You can't specify" these for checks that ask no endpoint, so they are not answered either.
            for endpoint_only in ("IPAddress", "Port", "RequestInterval", "FailureThreshold", "MeasureLatency", "EnableSNI"):
                declared.pop(endpoint_only, None)
        if self.type_ == "CLOUDWATCH_METRIC":
            declared["AlarmIdentifier"] = getattr(self, "alarm", None)
            declared["InsufficientDataHealthStatus"] = getattr(self, "insufficient", "LastKnownStatus")
        return declared

    Route53.create_health_check, Route53.update_health_check = create_health_check, update_health_check
    HealthCheck.health_check_config = property(health_check_config)
