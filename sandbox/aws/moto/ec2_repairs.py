"""Tags of launch templates.

EC2: CreateTags and DeleteTags reach a launch template like any other resource, and DescribeLaunchTemplates answers its present tags
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html).
moto: answers those that the template was created with.
"""

from moto.ec2.models.launch_templates import LaunchTemplate


def apply():
    # moto assigns them once, when it makes the template; what it has tagged since it knows by the template's id.
    LaunchTemplate.tags = property(lambda template: template.get_tags(), lambda template, tags: None)
