{{- /* The verbs that applying, comparing and pruning need: no deletecollection, and nothing that widens the agent's own rights. */}}
{{- define "brokkr-agent.verbs" -}}
[get, list, watch, create, patch, delete]
{{- end }}

{{- define "brokkr-agent.namespacedRules" -}}
- apiGroups: [""]
  resources:
    - configmaps
    - limitranges
    - persistentvolumeclaims
    - pods
    - replicationcontrollers
    - resourcequotas
    {{- if .Values.rbac.secrets }}
    - secrets
    {{- end }}
    - serviceaccounts
    - services
  verbs: {{ include "brokkr-agent.verbs" . }}
- apiGroups: [apps]
  resources: [daemonsets, deployments, replicasets, statefulsets]
  verbs: {{ include "brokkr-agent.verbs" . }}
# The replicas of what an autoscaler targets are left to it.
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
- apiGroups: [batch]
  resources: [cronjobs, jobs]
  verbs: {{ include "brokkr-agent.verbs" . }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: {{ include "brokkr-agent.verbs" . }}
{{- if .Values.rbac.podLogs }}
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
{{- end }}
{{- if .Values.rbac.shipwright }}
- apiGroups: [shipwright.io]
  resources: [builds, buildruns]
  verbs: {{ include "brokkr-agent.verbs" . }}
{{- end }}
{{- end }}

{{- define "brokkr-agent.clusterRules" -}}
- apiGroups: [""]
  resources: [namespaces, persistentvolumes]
  verbs: {{ include "brokkr-agent.verbs" . }}
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: {{ include "brokkr-agent.verbs" . }}
# Without "escalate" and "bind" the API server lets the agent grant only rights that it has itself.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterrolebindings, clusterroles, rolebindings, roles]
  verbs: {{ include "brokkr-agent.verbs" . }}
# The class of a volume claim says whether the claim is bound at once or waits for its first pod.
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [get]
{{- if .Values.rbac.customResourceDefinitions }}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: {{ include "brokkr-agent.verbs" . }}
{{- end }}
{{- end }}
