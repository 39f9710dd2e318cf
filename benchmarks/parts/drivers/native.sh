#!/bin/bash
# A plain loop of sbatch, until sacct shows all of it completed. Arguments: jobs, a name of this run's own.
# Prints seconds from the first call on, and those until the last call had its answer.
jobs=$1 name=$2
printf '#!/bin/bash\necho $EPOCHREALTIME\n' >"$name.job"
since=$(date -d '1 minute ago' +%Y-%m-%dT%H:%M:%S)
first=$EPOCHREALTIME
for ((i = 0; i < jobs; i++)); do sbatch --parsable -J "$name" -p cpu -t 5 -o "$name-%j.out" "$name.job" >/dev/null || exit 1; done
called=$EPOCHREALTIME
until [ "$(sacct -X -n -P -u "$USER" --name="$name" -S "$since" -o State | grep -cx COMPLETED)" -ge "$jobs" ]; do sleep 0.2; done
ended=$EPOCHREALTIME
rm -f -- "$name"*
echo "$(((${ended/./} - ${first/./}))) $(((${called/./} - ${first/./})))"
