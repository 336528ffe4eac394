import { describe, expect, test } from '@jest/globals';
import { clusterErrorOf } from '../../agent/cluster/kubernetes/kubernetes-errors.ts';
import { withoutValuesOf } from '../../agent/cluster/object-values.ts';
import { withoutQuotedValues } from '../../agent/cluster/value-free-text.ts';

const goDump =
  'core.PodTemplateSpec{Spec:core.PodSpec{Containers:[]core.Container{core.Container{Args:[]string{"--password=a}b\\"c"}, TTL:(*int64)(0xc0001)}}}}';

describe('a message of the API server says the reason without the value', () => {
  test.each([
    {
      said: 'Job.batch "import" is invalid: spec.template: Invalid value: {"spec":{"args":["--password=a}b\\"c"]}}: field is immutable',
      told: 'Job.batch "import" is invalid: spec.template: Invalid value: field is immutable',
    },
    {
      said: `Job.batch "import" is invalid: spec.template: Invalid value: ${goDump}: field is immutable`,
      told: 'Job.batch "import" is invalid: spec.template: Invalid value: field is immutable',
    },
    {
      said: 'Service "a" is invalid: [spec.clusterIPs[0]: Invalid value: []string{"10.1.2.3"}: may not change once set, spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive]',
      told: 'Service "a" is invalid: [spec.clusterIPs[0]: Invalid value: may not change once set, spec.ports[0].port: Invalid value: must be between 1 and 65535, inclusive]',
    },
    {
      said: 'Service "a" is invalid: spec.type: Unsupported value: "hunter2": supported values: "ClusterIP", "NodePort"',
      told: 'Service "a" is invalid: spec.type: Unsupported value: supported values: "ClusterIP", "NodePort"',
    },
    {
      said: 'Pod "a" is invalid: [spec.containers[0].ports[1].name: Duplicate value: "hunter2", spec.containers[0].image: Required value]',
      told: 'Pod "a" is invalid: [spec.containers[0].ports[1].name: Duplicate value, spec.containers[0].image: Required value]',
    },
    {
      said: 'Pod "a" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "hunter2"',
      told: 'Pod "a" is invalid: spec.containers[0].volumeMounts[0].name: Not found',
    },
    {
      said: 'Widget "a" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
      told: 'Widget "a" is invalid: spec.size: Invalid value: spec.size in body must be of type integer: "string"',
    },
    {
      said: 'Job "a" is invalid: spec.template: Invalid value: {"args":["hunter2',
      told: 'Job "a" is invalid: spec.template: Invalid value',
    },
    {
      said: 'failed to create typed patch object (n/a; /v1, Kind=ConfigMap): errors:\n  .data.port: expected string, got &value.valueUnstructured{Value:"hunter2\n8080"}\n  .foo: field not declared in schema',
      told: 'failed to create typed patch object (n/a; /v1, Kind=ConfigMap): errors:\n  .data.port: expected string\n  .foo: field not declared in schema',
    },
    {
      said: 'Widget "a" is invalid: spec.pool: Invalid value: map[string]interface {}{"key":"hunter2", "of":[]interface {}{"hunter2"}}: must be small',
      told: 'Widget "a" is invalid: spec.pool: Invalid value: must be small',
    },
    {
      said: 'errors:\n  .data.country: expected string, got &value.valueUnstructured{Value:false}\n  .data.rate: expected string, got &value.valueUnstructured{Value:1.5e+06}\n  .data.list: expected string, got &value.valueUnstructured{Value:[]interface {}{1}}',
      told: 'errors:\n  .data.country: expected string: put it in quotes\n  .data.rate: expected string: put it in quotes\n  .data.list: expected string',
    },
    {
      said: '.spec.template: expected map, got &{hunter2}',
      told: '.spec.template: expected map',
    },
    {
      said: 'json: cannot unmarshal number 4711 into Go struct field ObjectMeta.labels of type string',
      told: 'json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
    },
    {
      said: 'parsing time "hunter2" as "2006-01-02T15:04:05Z07:00": cannot parse "hunter2" as "2006"',
      told: 'parsing time a value as "2006-01-02T15:04:05Z07:00": cannot parse a value as "2006"',
    },
    {
      said: 'Apply failed with 1 conflict: conflict with "kubectl" using v1: .data.colour',
      told: 'Apply failed with 1 conflict: conflict with "kubectl" using v1: .data.colour',
    },
  ])('$told', ({ said, told }) => {
    expect(withoutQuotedValues(said)).toBe(told);
  });

  test('an error of the port carries no value', () => {
    const body = JSON.stringify({ kind: 'Status', reason: 'Invalid', message: 'data.a: Invalid value: "hunter2": must be base64' });
    expect(clusterErrorOf({ status: 422, body, nowMs: 0 }).message).toBe('data.a: Invalid value: must be base64');
  });
});

describe('a text that others wrote about an object', () => {
  const job = {
    kind: 'Job',
    apiVersion: 'batch/v1',
    metadata: { name: 'import', labels: { tier: 'data' } },
    spec: {
      template: {
        spec: {
          restartPolicy: 'Never',
          serviceAccountName: 'builder',
          containers: [{ name: 'main', image: 'registry.example.com/import:1', args: ['--password=correct-horse-battery'], port: 4711 }],
        },
      },
    },
    data: { motto: 'say "friend"\nand enter', pin: '12', 'site.conf': 'user=joe\npassword: swordfish\nphrase = open the gate\n' },
    status: { phase: 'Bound' },
  };
  test.each([
    { about: 'a whole value', said: 'denied: --password=correct-horse-battery', told: 'denied: …' },
    { about: 'a part of a value', said: 'denied: correct-horse-battery is weak', told: 'denied: … is weak' },
    { about: "the word behind a setting's name", said: 'denied: swordfish is weak', told: 'denied: … is weak' },
    { about: "the words behind a setting's name", said: 'denied: open the gate', told: 'denied: …' },
    { about: 'a value that was cut off', said: 'denied: --password=correct-ho… is weak', told: 'denied: … is weak' },
    { about: 'a value at the cut end of a text', said: 'denied: --password=correct-ho', told: 'denied: …' },
    { about: 'a number', said: 'port 4711 is taken', told: 'port … is taken' },
    { about: 'an escaped value', said: 'denied: {"motto":"say \\"friend\\"\\nand enter"}', told: 'denied: {"motto":"…"}' },
    { about: 'a short value in quotes', said: 'pin "12" is among the first 12', told: 'pin "…" is among the first 12' },
    {
      about: 'names, choices and fields, which stay',
      said: 'service account "builder" of import: restartPolicy Never needs spec.data',
      told: 'service account "builder" of import: restartPolicy Never needs spec.data',
    },
    { about: 'what the cluster wrote itself, which stays', said: 'it is Bound', told: 'it is Bound' },
  ])('is told without its values: $about', ({ said, told }) => {
    expect(withoutValuesOf(said, job)).toBe(told);
  });

  test.each([
    { where: 'data', object: { kind: 'ConfigMap', data: { name: 'hunter2', mode: 'Hunter' } } },
    { where: 'an annotation', object: { kind: 'Pod', metadata: { annotations: { 'x/hostName': 'hunter2', 'x/mode': 'Hunter' } } } },
    { where: "a Secret's data", object: { kind: 'Secret', data: { name: 'aHVudGVyMg==', mode: 'SHVudGVy' } } },
  ])('is told without a value under a key that reads like a field for names, in $where', ({ object }) => {
    expect(withoutValuesOf('hunter2 and Hunter are taken', object)).toBe('… and … are taken');
  });

  test.each([
    { about: 'of an address', value: 'postgres://app:swordfish@db/orders', said: 'denied: swordfish', told: 'denied: …' },
    { about: 'as an address has it', value: 'p@ss/word', said: 'denied: https://app:p%40ss%2Fword@db', told: 'denied: https://app:…@db' },
    {
      about: 'as Go writes JSON',
      value: 'a<b>&c-hunter',
      said: 'denied: {"x":"a\\u003cb\\u003e\\u0026c-hunter"}',
      told: 'denied: {"x":"…"}',
    },
  ])('is told without a password $about', ({ value, said, told }) => {
    expect(withoutValuesOf(said, { kind: 'Pod', spec: { env: [{ value }] } })).toBe(told);
  });

  test("a Secret's value is masked in its plain form, too", () => {
    const data = { password: Buffer.from('Tr0ub4dor').toString('base64') };
    expect(withoutValuesOf('password Tr0ub4dor is in a list of passwords', { kind: 'Secret', data })).toBe(
      'password … is in a list of passwords',
    );
  });
});
