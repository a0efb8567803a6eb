#!/usr/bin/env python3
"""Writes aws-shapes.json, from AWS's service models as botocore ships them (pip install botocore).

    python3 probes/data/aws-shapes.py > probes/data/aws-shapes.json

Of the answers that gladhand asks for it keeps what their XML does not tell: which elements are lists,
numbers, truth values and times, and which have another name in the AWS CLI's JSON.
"""
import json

import botocore
import botocore.loaders

OPERATIONS = {
    "elbv2": """DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeListeners
        DescribeListenerAttributes DescribeListenerCertificates DescribeRules DescribeTargetGroups
        DescribeTargetGroupAttributes DescribeTargetHealth DescribeTags DescribeSSLPolicies
        DescribeTrustStores""",
    "elb": """DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeLoadBalancerPolicies
        DescribeInstanceHealth DescribeTags""",
    "ec2": """DescribeSecurityGroups DescribeInstances DescribeNetworkInterfaces DescribeSubnets
        DescribeNetworkAcls GetManagedPrefixListEntries""",
    "cloudwatch": "GetMetricData",
    "iam": "GetServerCertificate",
    "sts": "GetCallerIdentity",
    "acm": "DescribeCertificate GetCertificate",
}
SCALARS = {
    "string": "",
    "character": "",
    "blob": "",
    "integer": "integer",
    "long": "integer",
    "float": "float",
    "double": "float",
    "boolean": "boolean",
    "timestamp": "timestamp",
}


def upper(name):
    return name[:1].upper() + name[1:]


def main():
    loader = botocore.loaders.Loader()
    shapes, operations = {}, {}
    for service, names in OPERATIONS.items():
        model = loader.load_service_model(service, "service-2")

        def kind(name, service=service, model=model):
            shape = model["shapes"][name]
            if shape["type"] in SCALARS:
                return SCALARS[shape["type"]]
            if shape["type"] == "list":
                return f"[{kind(shape['member']['shape'])}]"
            if shape["type"] == "map":
                assert not kind(shape["value"]["shape"])
                return "map"
            assert shape["type"] == "structure", (service, name, shape["type"])
            key = f"{service}.{name}"
            if key not in shapes:
                shapes[key] = {}
                for member, spec in shape["members"].items():
                    assert not spec.get("flattened") and not model["shapes"][spec["shape"]].get("flattened")
                    wire = spec.get("locationName", member)
                    of = kind(spec["shape"])
                    renamed = "" if member == upper(wire) else member
                    if of or renamed:
                        shapes[key][wire] = f"{renamed}:{of}"
            return key

        for name in names.split():
            output = model["operations"][name]["output"]["shape"]
            operations[f"{service}.{name}"] = kind(output)
    table = {
        "source": f"botocore {botocore.__version__}, https://github.com/boto/botocore (Apache-2.0)",
        "operations": operations,
        "shapes": dict(sorted(shapes.items())),
    }
    lines = json.dumps(table, indent=1).splitlines()
    # One line a shape.
    text = "\n".join(lines).replace('\n   "', ' "').replace("\n  }", " }")
    assert json.loads(text) == table
    print(text)


main()
