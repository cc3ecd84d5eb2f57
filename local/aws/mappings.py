"""A mapping's number may come from a parameter: CloudFormation makes it a number, ministack leaves it text."""

from ministack.services.cloudformation import provisioners


def install():
    handler = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    create, update = handler["create"], handler["update"]

    def create_with_numbers(logical_id, props, stack_name):
        return create(logical_id, counted(props), stack_name)

    def update_with_numbers(physical_id, old_props, new_props, stack_name, logical_id=None):
        return update(physical_id, old_props, counted(new_props), stack_name, logical_id)

    handler["create"], handler["update"] = create_with_numbers, update_with_numbers


def counted(props):
    scaling = props.get("ScalingConfig") or {}
    if "MaximumConcurrency" not in scaling:
        return props
    return {**props, "ScalingConfig": {**scaling, "MaximumConcurrency": int(scaling["MaximumConcurrency"])}}
