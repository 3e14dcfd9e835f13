// The app that the CDK deploys to the simulated AWS: a Fargate service, a log group and outputs. What changes
// between deployments comes from the environment: IMAGE_TAG, and LOGS (days that logs are kept).
const path = require('path');
const library = path.join(process.env.CDK_MODULES, 'aws-cdk-lib');
const cdk = require(library);
const ec2 = require(path.join(library, 'aws-ec2'));
const ecs = require(path.join(library, 'aws-ecs'));
const ecr = require(path.join(library, 'aws-ecr'));
const logs = require(path.join(library, 'aws-logs'));

const app = new cdk.App();
const stack = new cdk.Stack(app, 'Shop', {
  env: { account: '123456789012', region: 'eu-west-1' },
});
const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
  vpcId: process.env.VPC,
  availabilityZones: ['eu-west-1a', 'eu-west-1b'],
  publicSubnetIds: process.env.SUBNETS.split(','),
  publicSubnetRouteTableIds: ['rtb-0', 'rtb-0'],
});
const cluster = new ecs.Cluster(stack, 'Cluster', { vpc, clusterName: 'cdk-shop' });
const group = new logs.LogGroup(stack, 'Logs', {
  logGroupName: '/ecs/cdk-shop',
  retention: Number(process.env.LOGS || 7),
  removalPolicy: cdk.RemovalPolicy.DESTROY,
});
const definition = new ecs.FargateTaskDefinition(stack, 'Definition', { cpu: 256, memoryLimitMiB: 512 });
definition.addContainer('web', {
  image: ecs.ContainerImage.fromEcrRepository(
    ecr.Repository.fromRepositoryName(stack, 'Repository', 'shop'), process.env.IMAGE_TAG || 'v1'),
  logging: ecs.LogDrivers.awsLogs({ logGroup: group, streamPrefix: 'web' }),
});
const service = new ecs.FargateService(stack, 'Service', {
  cluster,
  serviceName: 'cdk-shop',
  taskDefinition: definition,
  desiredCount: 1,
  minHealthyPercent: 100,
  assignPublicIp: true,
  circuitBreaker: { rollback: true },
});
new cdk.CfnOutput(stack, 'ServiceName', { value: service.serviceName });
