const rights = require('./function-rights.cjs');
const { logicalName } = require('./names.cjs');

/** X-Ray takes traces for the whole account, so the right to send them cannot name a resource. */
const tracingPolicy = {
  Type: 'AWS::IAM::Policy',
  Properties: {
    PolicyName: 'tracing',
    Roles: Object.keys(rights).map((name) => ({ Ref: `${logicalName(name)}Role` })),
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], Resource: '*' }],
    },
  },
};
const alarmSubscription = (address) => ({
  Type: 'AWS::SNS::Subscription',
  Properties: { TopicArn: { Ref: 'AlarmTopic' }, Protocol: address.startsWith('https://') ? 'https' : 'email', Endpoint: address },
});

/** Resources that are created only if a parameter asks for them. */
module.exports = async ({ resolveVariable }) => {
  const [tracing, alarmSubscriber] = await Promise.all([resolveVariable('param:tracing'), resolveVariable('param:alarmSubscriber')]);
  return {
    Resources: {
      ...(String(tracing) === 'true' && { TracingPolicy: tracingPolicy }),
      ...(alarmSubscriber && { AlarmSubscription: alarmSubscription(alarmSubscriber) }),
    },
  };
};
