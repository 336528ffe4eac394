{{- define "brokkr-agent.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- /* A name for objects without a namespace: two releases with one name in two namespaces must not share it. */}}
{{- define "brokkr-agent.clusterName" -}}
{{ printf "%s-%s" .Release.Namespace (include "brokkr-agent.fullname" .) }}
{{- end }}

{{- define "brokkr-agent.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "brokkr-agent.labels" -}}
{{ include "brokkr-agent.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: brokkr
{{- end }}

{{- define "brokkr-agent.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "brokkr-agent.fullname" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "brokkr-agent.pakSecretName" -}}
{{ .Values.pak.existingSecret | default (printf "%s-pak" (include "brokkr-agent.fullname" .)) }}
{{- end }}

{{- define "brokkr-agent.watchNamespace" -}}
{{ .Values.watchNamespace | default .Release.Namespace }}
{{- end }}
