# Makes the load balancers of `BALANCERS`, a list as `Moto::balancers` describes it, and prints their ARNs.


def network():
    """A VPC with a subnet in each of two zones."""
    vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.0.{n}.0/24', AvailabilityZone=f'eu-central-1{zone}')
        ['Subnet']['SubnetId'] for n, zone in enumerate('ab')
    ]
    return vpc, subnets


def security_group(told):
    """Everybody is let in, at the ports of the listeners where none are given."""
    name, ports = told['name'], told.get('ingress') or [one['port'] for one in told['listeners']]
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)['GroupId']
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {'IpProtocol': 'tcp', 'FromPort': port, 'ToPort': port, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}
        for port in sorted(set(ports))
    ])
    return group


def certificate(files):
    """Each certificate once, by its file."""
    path, key, chain = files
    if path not in certificates:
        certificates[path] = acm.import_certificate(
            Certificate=open(path, 'rb').read(), PrivateKey=open(key, 'rb').read(),
            CertificateChain=open(chain, 'rb').read())['CertificateArn']
    return certificates[path]


def attributes(given):
    return [{'Key': key, 'Value': value} for key, value in given.items()]


def action(told, groups):
    if 'forward' in told:
        return {'Type': 'forward', 'TargetGroupArn': groups[told['forward']]}
    return {'Type': 'redirect', 'RedirectConfig': {
        'Protocol': 'HTTPS', 'Port': str(told['redirect']), 'StatusCode': 'HTTP_301'}}


def target_group(balancer, name, told):
    check = {'Health' + key: value for key, value in told.get('health', {}).items()}
    group = elb.create_target_group(
        Name=f"{balancer}-{name}", Protocol=told['protocol'], Port=told['port'], VpcId=vpc,
        TargetType='ip', **check)['TargetGroups'][0]['TargetGroupArn']
    if not told.get('empty'):
        elb.register_targets(TargetGroupArn=group, Targets=[{'Id': '127.0.0.1', 'Port': told['port']}])
    return group


def listener(balancer, told, groups):
    more = {'SslPolicy': told['policy']} if told.get('policy') else {}
    certificates = [certificate(files) for files in told.get('certificates', [])]
    if certificates:
        more['Certificates'] = [{'CertificateArn': certificates[0]}]
    if told.get('alpn'):
        more['AlpnPolicy'] = [told['alpn']]
    arn = elb.create_listener(
        LoadBalancerArn=balancer, Protocol=told['protocol'], Port=told['port'],
        DefaultActions=[action(told['action'], groups)], **more)['Listeners'][0]['ListenerArn']
    if certificates[1:]:
        elb.add_listener_certificates(
            ListenerArn=arn, Certificates=[{'CertificateArn': one} for one in certificates[1:]])
    if told.get('attributes'):
        elb.modify_listener_attributes(ListenerArn=arn, Attributes=attributes(told['attributes']))
    for priority, rule in enumerate(told.get('rules', []), 1):
        elb.create_rule(ListenerArn=arn, Priority=priority,
                        Conditions=[{'Field': 'host-header', 'Values': [rule['host']]}],
                        Actions=[action(rule['action'], groups)])


def modern(told):
    name, kind = told['name'], told.get('type', 'application')
    balancer = elb.create_load_balancer(
        Name=name, Type=kind, Scheme=told.get('scheme', 'internet-facing'), Subnets=subnets,
        SecurityGroups=[security_group(told)],
    )['LoadBalancers'][0]['LoadBalancerArn']
    elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=attributes(told['attributes']))
    groups = {group: target_group(name, group, one) for group, one in told['groups'].items()}
    for one in told['listeners']:
        listener(balancer, one, groups)
    return balancer


def classic(told):
    name, old, group = told['name'], client('elb'), security_group(told)
    old.create_load_balancer(
        LoadBalancerName=name, Subnets=subnets, SecurityGroups=[group],
        Listeners=[{
            'Protocol': one['protocol'], 'LoadBalancerPort': one['port'],
            'InstanceProtocol': one['instance'][0], 'InstancePort': one['instance'][1],
            'SSLCertificateId': certificate(one['certificates'][0]),
        } for one in told['listeners']])
    for one in told['listeners']:
        # As the console does it: a policy of its own that refers to one of AWS's.
        old.create_load_balancer_policy(
            LoadBalancerName=name, PolicyName=f"{name}-{one['port']}", PolicyTypeName='SSLNegotiationPolicyType',
            PolicyAttributes=[{'AttributeName': 'Reference-Security-Policy', 'AttributeValue': one['policy']}])
        old.set_load_balancer_policies_of_listener(
            LoadBalancerName=name, LoadBalancerPort=one['port'], PolicyNames=[f"{name}-{one['port']}"])
    old.modify_load_balancer_attributes(LoadBalancerName=name, LoadBalancerAttributes={
        'AccessLog': {'Enabled': True, 'S3BucketName': 'logs', 'EmitInterval': 60},
        'ConnectionDraining': {'Enabled': True, 'Timeout': 300}, 'CrossZoneLoadBalancing': {'Enabled': True}})
    instances = ec2.run_instances(ImageId='ami-12c6146b', MinCount=2, MaxCount=2, SubnetId=subnets[0])['Instances']
    old.register_instances_with_load_balancer(
        LoadBalancerName=name, Instances=[{'InstanceId': one['InstanceId']} for one in instances])
    return name


ec2, elb, acm = client('ec2'), client('elbv2'), client('acm')
certificates = {}
vpc, subnets = network()
print(json.dumps([classic(one) if one.get('type') == 'classic' else modern(one) for one in BALANCERS]))
