// The events that the documentation of AWS prints, with the ids put in that a test is about: EC2's user guide (Spot interruption
// notices, rebalance recommendations), Health's (EventBridge schema), Auto Scaling's (event reference) and ECS's developer
// guide (task and container instance state change events).

const base = (id: string, source: string, detailType: string, resources: readonly string[]) => ({
  ...{ version: "0", id, "detail-type": detailType, source, account: "123456789012" },
  ...{ time: new Date().toISOString().replace(/\.\d+Z$/, "Z"), region: "eu-west-1", resources },
});

export const INSTANCE = "i-1234567890abcdef0";
export const TASK = "arn:aws:ecs:eu-west-1:123456789012:task/prod/c13b4cb40f1f4fe4a2971f76ae5a47ad";
export const CONTAINER_INSTANCE =
  "arn:aws:ecs:eu-west-1:123456789012:container-instance/prod/1234567890abcdef1234567890abcdef";
const CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod";
const ID = "12345678-1234-1234-1234-123456789012";

export const spotWarning = (instance = INSTANCE, id = ID) => ({
  ...base(id, "aws.ec2", "EC2 Spot Instance Interruption Warning", [`arn:aws:ec2:eu-west-1a:instance/${instance}`]),
  detail: { "instance-id": instance, "instance-action": "terminate" },
});

export const rebalanceRecommendation = (instance = INSTANCE, id = ID) => ({
  ...base(id, "aws.ec2", "EC2 Instance Rebalance Recommendation", [`arn:aws:ec2:eu-west-1:instance/${instance}`]),
  detail: { "instance-id": instance },
});

export const scheduledChange = (instance = INSTANCE, changes: object = {}, id = ID) => ({
  ...base(id, "aws.health", "AWS Health Event", [instance]),
  detail: {
    eventArn: "arn:aws:health:eu-west-1::event/EC2/AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED/ABC123-DEF456",
    service: "EC2",
    eventScopeCode: "ACCOUNT_SPECIFIC",
    communicationId: "7988399e2e6fb0b905ddc88e0e2de1fd17e4c9fa60349577446d95a18EXAMPLE",
    lastUpdatedTime: "Wed, 16 Aug 2023 23:18:52 GMT",
    eventRegion: "eu-west-1",
    eventTypeCode: "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED",
    eventTypeCategory: "scheduledChange",
    startTime: "Sat, 05 Jun 2027 15:10:09 GMT",
    eventDescription: [{ language: "en_US", latestDescription: "A description of the event will be provided here" }],
    affectedEntities: [{ entityValue: instance, tags: { stage: "prod", app: "my-app" } }],
    ...changes,
  },
});

export const terminateAction = (
  instance = INSTANCE,
  names: { readonly group?: string; readonly hook?: string } = {},
  id = ID,
) => ({
  ...base(id, "aws.autoscaling", "EC2 Instance-terminate Lifecycle Action", ["auto-scaling-group-arn"]),
  detail: {
    LifecycleActionToken: "87654321-4321-4321-4321-210987654321",
    AutoScalingGroupName: names.group ?? "my-asg",
    LifecycleHookName: names.hook ?? "my-lifecycle-hook",
    EC2InstanceId: instance,
    LifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING",
    NotificationMetadata: "additional-info",
    Origin: "AutoScalingGroup",
    Destination: "EC2",
  },
});

export const taskStateChange = (task = TASK, changes: object = {}, id = ID) => ({
  ...base(id, "aws.ecs", "ECS Task State Change", [task]),
  detail: {
    attachments: [
      {
        id: "1789bcae-ddfb-4d10-8ebe-8ac87ddba5b8",
        type: "eni",
        status: "ATTACHED",
        details: [
          { name: "subnetId", value: "subnet-abcd1234" },
          { name: "networkInterfaceId", value: "eni-abcd1234" },
          { name: "macAddress", value: "0a:98:eb:a7:29:ba" },
          { name: "privateIPv4Address", value: "10.0.0.139" },
        ],
      },
    ],
    availabilityZone: "eu-west-1c",
    clusterArn: CLUSTER,
    containers: [],
    cpu: "256",
    desiredStatus: "STOPPED",
    group: "service:valkey",
    lastStatus: "RUNNING",
    launchType: "FARGATE",
    memory: "512",
    stopCode: "SpotInterruption",
    stoppedReason: "Your Spot Task was interrupted.",
    taskArn: task,
    taskDefinitionArn: "arn:aws:ecs:eu-west-1:123456789012:task-definition/valkey:1",
    version: 3,
    ...changes,
  },
});

export const containerInstanceDraining = (containerInstance = CONTAINER_INSTANCE, changes: object = {}, id = ID) => ({
  ...base(id, "aws.ecs", "ECS Container Instance State Change", [containerInstance]),
  detail: {
    agentConnected: true,
    attributes: [{ name: "ecs.os-type", value: "linux" }],
    clusterArn: CLUSTER,
    containerInstanceArn: containerInstance,
    ec2InstanceId: INSTANCE,
    registeredResources: [{ name: "CPU", type: "INTEGER", integerValue: 2048 }],
    remainingResources: [{ name: "CPU", type: "INTEGER", integerValue: 1988 }],
    status: "DRAINING",
    version: 14801,
    versionInfo: { agentHash: "aebcbca", agentVersion: "1.13.0", dockerVersion: "DockerVersion: 1.11.2" },
    updatedAt: "2016-12-06T16:41:06.991Z",
    ...changes,
  },
});
