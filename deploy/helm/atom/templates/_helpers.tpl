{{- define "atom.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 52 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "atom.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "atom.labels" -}}
{{ include "atom.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "atom.image" -}}
{{- $repository := required "image.repository: where the image was pushed to" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "atom.keysSecret" -}}
{{ default (printf "%s-keys" (include "atom.fullname" .)) .Values.keys.existingSecret }}
{{- end }}

{{- define "atom.jobsNamespace" -}}
{{ default (printf "%s-steps" .Release.Namespace) .Values.jobs.namespace }}
{{- end }}

{{/* Pod Security `restricted`: of a Pod, and of each of its containers. */}}
{{- define "atom.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "atom.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "atom.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* The home is made anew for each Pod. What it keeps of the Secret lies in memory, readable for the process alone, as the
     program and libpq demand; a Secret's own volume cannot be that for a user who is not root. */}}
{{- define "atom.homeContainer" -}}
- name: home
  image: {{ include "atom.image" .root }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: [sh, -euc]
  args:
    - |
      umask 077
      cd /run/atom/keys
      cp -rL keys credentials tenant /run/atom/home/
      ln -s /run/atom/home/* "$ATOM_HOME/"
      {{- if .admin }}
      escaped() { sed -e 's/[\\:]/\\&/g' "/run/atom/admin/$1"; }
      printf '*:*:*:%s:%s\n' "$(escaped username)" "$(escaped password)" > /run/atom/home/credentials/atom_admin
      {{- end }}
  env:
    - {name: ATOM_HOME, value: /var/lib/atomctl/home}
  workingDir: /
  resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 500m, memory: 64Mi}}
  securityContext:
    {{- include "atom.containerSecurity" .root | nindent 4 }}
  volumeMounts:
    - {name: home, mountPath: /var/lib/atomctl/home}
    - {name: private, mountPath: /run/atom/home}
    - {name: keys, mountPath: /run/atom/keys, readOnly: true}
    {{- if .admin }}
    - {name: admin, mountPath: /run/atom/admin, readOnly: true}
    {{- end }}
{{- end }}

{{/* The volumes of a home: which keys and whose passwords. */}}
{{- define "atom.homeVolumes" -}}
- name: home
  emptyDir: {sizeLimit: {{ default "256Mi" .size }}}
- name: private
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
- name: keys
  secret:
    secretName: {{ include "atom.keysSecret" .root }}
    defaultMode: 0440
    items:
      - {key: tenant, path: tenant}
      {{- range .keys }}
      - {key: {{ . }}, path: keys/{{ . }}}
      {{- end }}
      {{- range .roles }}
      - {key: {{ . }}, path: credentials/{{ . }}}
      {{- end }}
{{- end }}

{{- define "atom.homeMounts" -}}
- {name: home, mountPath: /var/lib/atomctl/home}
- {name: private, mountPath: /run/atom/home, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if and .Values.vault.address .Values.vault.caSecret }}
- {name: vault-ca, mountPath: /run/atom/vault, readOnly: true}
{{- end }}
{{- end }}

{{- define "atom.vaultVolume" -}}
{{- if and .Values.vault.address .Values.vault.caSecret }}
- name: vault-ca
  secret:
    secretName: {{ .Values.vault.caSecret }}
    items:
      - {key: {{ .Values.vault.caKey }}, path: ca.crt}
{{- end }}
{{- end }}

{{/* Where the database is: no login, which the home holds. */}}
{{- define "atom.databaseEnv" -}}
- {name: ATOM_HOME, value: /var/lib/atomctl/home}
- name: ATOM_DATABASE_URL
  value: {{ include "atom.databaseUrl" . | quote }}
{{- end }}

{{- define "atom.databaseUrl" -}}
{{- $host := required "database.host: where PostgreSQL is" .Values.database.host -}}
{{- $query := list -}}
{{- range $name, $value := .Values.database.parameters -}}
{{- $query = append $query (printf "%s=%s" $name (urlquery $value)) -}}
{{- end -}}
postgresql://{{ $host }}:{{ .Values.database.port }}/{{ urlquery .Values.database.name }}{{ with $query }}?{{ join "&" . }}{{ end }}
{{- end }}

{{- define "atom.env" -}}
{{ include "atom.databaseEnv" . }}
- {name: ATOM_ENVIRONMENT, value: {{ .Values.environment }}}
- {name: ATOM_LOG_LEVEL, value: {{ .Values.logLevel }}}
- name: S3_BUCKET
  value: {{ required "objects.bucket: the bucket of packages and logs" .Values.objects.bucket | quote }}
- {name: S3_REGION, value: {{ .Values.objects.region | quote }}}
{{- with .Values.objects.endpoint }}
- {name: S3_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- with .Values.objects.auditBucket }}
- {name: S3_AUDIT_BUCKET, value: {{ . | quote }}}
{{- end }}
{{- with .Values.objects.auditRetention }}
- {name: ATOM_AUDIT_RETENTION, value: {{ . | quote }}}
{{- end }}
- name: S3_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ required "objects.existingSecret: the Secret with the access key of the buckets" .Values.objects.existingSecret }}, key: {{ .Values.objects.accessKeyKey }}}}
- name: S3_SECRET_KEY
  valueFrom: {secretKeyRef: {name: {{ .Values.objects.existingSecret }}, key: {{ .Values.objects.secretKeyKey }}}}
{{- if .Values.vault.address }}
- {name: ATOM_SECRETS, value: vault}
- {name: ATOM_SECRETS_MOUNT, value: {{ .Values.vault.mount | quote }}}
- {name: VAULT_ADDR, value: {{ .Values.vault.address | quote }}}
{{- with .Values.vault.namespace }}
- {name: VAULT_NAMESPACE, value: {{ . | quote }}}
{{- end }}
{{- if .Values.vault.caSecret }}
- {name: VAULT_CACERT, value: /run/atom/vault/ca.crt}
{{- end }}
- name: VAULT_ROLE_ID
  valueFrom: {secretKeyRef: {name: {{ required "vault.existingSecret: the Secret with the AppRole" .Values.vault.existingSecret }}, key: {{ .Values.vault.roleIdKey }}}}
- name: VAULT_SECRET_ID
  valueFrom: {secretKeyRef: {name: {{ .Values.vault.existingSecret }}, key: {{ .Values.vault.secretIdKey }}}}
{{- end }}
- {name: ATOM_KUBERNETES, value: {{ ternary "in-cluster" "off" .Values.kubernetes.enabled | quote }}}
- {name: ATOM_STEP_RUNTIME, value: {{ ternary .Values.worker.stepRuntime "shell" .Values.kubernetes.enabled }}}
- {name: ATOM_JOB_NAMESPACE, value: {{ include "atom.jobsNamespace" . }}}
{{- with .Values.jobs.image }}
- {name: ATOM_JOB_IMAGE, value: {{ . | quote }}}
{{- end }}
{{- with .Values.jobs.localImages }}
- {name: ATOM_JOB_LOCAL_IMAGES, value: {{ join "," . | quote }}}
{{- end }}
- {name: ATOM_CONTROLS_EVERY, value: "off"}
{{- end }}

{{- define "atom.spread" -}}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "atom.selector" $.root | nindent 6 }}
      app.kubernetes.io/component: {{ $.component }}
{{- end }}
{{- end }}

{{/* The TCP port of an address such as http://s3.example:7070. */}}
{{- define "atom.portOf" -}}
{{- $host := (urlParse .).host -}}
{{- if regexMatch ":[0-9]+$" $host -}}
{{ regexFind "[0-9]+$" $host }}
{{- else -}}
{{ ternary 80 443 (hasPrefix "http:" .) }}
{{- end -}}
{{- end }}
