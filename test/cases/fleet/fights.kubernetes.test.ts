import { configMap } from './manifests.ts';
import { appears, becomes, has, kubectl, looks, mentions, metricsSay, objects, patch, post, says, stack, withNamespace } from './steps.ts';
import { describeStories, type Step } from './stories.ts';

const beside = [stack('beside'), post(objects(configMap('beside'))), says('SUCCESS'), stack('')];
const patched = patch('configmap/settings', { data: { level: 'debug' } }, '--field-manager=other-tool');
const round: Step[] = [patched, becomes('configmap/settings', '/data/level', 'info'), says('SUCCESS', /settings/, /data\.level/)];

const labelled = objects({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'NAMESPACE', labels: { team: 'theirs' } },
});
const applied: Step = async (story) =>
  void (await story.kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=other-gitops', '-f', '-'], labelled));
const labelRound: Step[] = [applied, becomes('configmap/settings', '/metadata/labels/team', 'ours'), says('SUCCESS', /settings/)];

const deleted: Step[] = [kubectl('delete', 'configmap', 'settings'), appears('configmap/settings'), says('SUCCESS', /settings/)];

// The stack beside it keeps the pace of the looks for drift, however slow the one that fights becomes.
describeStories('objects that others change again and again', (story) => {
  story('each correction is told, and from the third on also who fights, for which field', [
    withNamespace,
    ...beside,
    post(objects(configMap('settings', { level: 'info' }))),
    says('SUCCESS'),
    ...round,
    ...round,
    patched,
    becomes('configmap/settings', '/data/level', 'info'),
    mentions(/ConfigMap\/\S+\/settings/, /data\.level/, /other-tool/),
    metricsSay(/^(?!#).*settings.*/m),
    metricsSay(/^(?!#).*other-tool.*/m),
  ]);

  story('corrections of an object in a fight slow down', [
    withNamespace,
    ...beside,
    post(objects(configMap('settings', { level: 'info' }))),
    says('SUCCESS'),
    ...round,
    ...round,
    patched,
    becomes('configmap/settings', '/data/level', 'info'),
    mentions(/other-tool/),
    patched,
    looks(3),
    has('configmap/settings', '/data/level', 'debug'),
  ]);

  story('a label that another tool applies is a fight, too', [
    withNamespace,
    ...beside,
    post(objects(configMap('settings', {}, { labels: { team: 'ours' } }))),
    says('SUCCESS'),
    ...labelRound,
    ...labelRound,
    applied,
    becomes('configmap/settings', '/metadata/labels/team', 'ours'),
    mentions(/ConfigMap\/\S+\/settings/, /metadata\.labels\.team/, /other-gitops/),
  ]);

  story('an object that is deleted again and again is told each time', [
    withNamespace,
    post(objects(configMap('settings', { level: 'info' }))),
    says('SUCCESS'),
    ...deleted,
    ...deleted,
  ]);

  story('a newer deployment object ends the slow pace', [
    withNamespace,
    ...beside,
    post(objects(configMap('settings', { level: 'info' }))),
    says('SUCCESS'),
    ...round,
    ...round,
    patched,
    becomes('configmap/settings', '/data/level', 'info'),
    mentions(/other-tool/),
    patched,
    post(objects(configMap('settings', { level: 'warn' }))),
    becomes('configmap/settings', '/data/level', 'warn'),
  ]);
});
