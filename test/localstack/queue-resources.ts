import * as z from 'zod';
import type { Deployment, Resource } from '../infra/packaged-deployment.ts';

const DEPLOYED = new Set(['AWS::SQS::Queue', 'AWS::CloudWatch::Alarm', 'AWS::IAM::Role', 'AWS::SNS::Topic']);
const Reference = z.union([
  z.strictObject({ Ref: z.string() }).transform(({ Ref }) => ({ id: Ref, attribute: undefined })),
  z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform(({ 'Fn::GetAtt': [id, attribute] }) => ({ id, attribute })),
]);

/**
 * The queues, alarms, roles and the alarms' topic of the packaged template. References to the other resources, such as tables and the
 * API, are replaced by the texts to which they would resolve.
 */
export function queueResources({ resources }: Deployment): { Resources: Record<string, Resource> } {
  const kept = Object.entries(resources).filter(([, { Type }]) => DEPLOYED.has(Type));
  const names = new Set(kept.map(([id]) => id));
  const resolved = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolved);
    if (typeof value !== 'object' || value === null) return value;
    const reference = Reference.safeParse(value);
    if (!reference.success) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolved(member)]));
    const { id, attribute } = reference.data;
    if (names.has(id)) return value;
    const table = resources[id]?.Properties.TableName;
    return attribute === 'Arn' && table ? `arn:aws:dynamodb:us-east-1:000000000000:table/${table}` : id;
  };
  return { Resources: Object.fromEntries(kept.map(([id, resource]) => [id, z.custom<Resource>().parse(resolved(resource))])) };
}
