"""What a centre plays that only attacks, in the words of `attacker`: each is named for what is wrong with it."""

ENDLESS = {
    "rows": "while True: row()",
    "rows in one breath": "row()\nblock = b'x' * 65536\nwhile True: say(block)",
    "NUL": "block = bytes(65536)\nwhile True: say(block)",
    "lines": "block = b'\\n' * 65536\nwhile True: say(block)",
    "marks": "block = (listing_nonce() + delimiter()).encode() * 3000\nwhile True: say(block)",
    "no UTF-8": "block = b'\\xff\\xfe' * 30000\nwhile True: say(block)",
    "errors": "block = b'\\x1b[31m' * 10000\nwhile True: sys.stderr.buffer.write(block)",
}
FORGED_LISTINGS = {
    "a number that is none": "row(id='41; rm -rf /')",
    "a number below zero": "row(id='-41')",
    "a number that fits nowhere": "row(id='9' * 4000)",
    "foreign digits": "row(id='\u0664\u0661')",
    "a task that is none": "row(task='\u00b2')",
    "a time that is none": "row(submitted='tomorrow')",
    "a time without end": "row(started='9' * 18)",
    "half a row": "say('41|N/A|pc01|RUNN')",
    "a row without its name": "row(id='41')\nsay('41|N/A|pc01|RUNNING|1|1|n|None' + listing_nonce())",
    "an account with a space before it": "row(user=' pc01')",
    "a row too few": "say('41|RUNNING' + listing_nonce() + 'x\\n')",
}
FORGED_RECORDS = {
    "minus a day": "record(elapsed='-86400')",
    "longer than the world": "record(elapsed='9' * 18)",
    "more cores than the world": "record(cpus='9' * 18)",
    "more memory than a number": "record(tres='cpu=1,mem=' + '9' * 15 + 'P')",
    "cores in words": "record(cpus='many')",
    "a number with a sign": "record(cpus='+4')",
    "an id that is an option": "record(raw='--all')",
    "an id of SQL": 'record(raw="1\'; DROP TABLE jobs; --")',
    "an account with a space behind it": "record(user='pc01 ')",
    "an account in escape codes": "record(user='\\x1bpc01')",
    "no submit time": "record(submit='')",
    "resources that are none": "record(tres='\\x00')",
    "a licence in words": "record(tres='cpu=1,license/matlab=many')",
    "more licences than a number": "record(tres='cpu=1,license/matlab=' + '9' * 19)",
    "more kinds of licences than there are": "record(tres='cpu=1,' + ','.join(f'license/l{n}=1' for n in range(65)))",
    "half a row": "record()\nsay('42' + delimiter() + '42')",
    "a column more": "record(name='x' + delimiter() + 'y')",
    "usage before its start": "record(start='Unknown', tres='', elapsed='600')\nrecord(exit='x:y')",
    "no UTF-8 in a number": "record(cpus='\\udcff')",
}
PICTURES = {
    "endless partitions": "while True: say('PartitionName=x State=UP MaxTime=1 MaxNodes=1\\n')",
    "endless nodes": "n = 'node' in words\nwhile n: say('NodeName=a CPUTot=1 CPUAlloc=0 RealMemory=1 State=IDLE\\n')",
    "one queue twice": "say('PartitionName=x State=UP MaxTime=1 MaxNodes=1\\n' * 2)",
    "sums that fit nowhere": (
        "say('NodeName=a CPUTot=%s CPUAlloc=0 RealMemory=1 State=IDLE Partitions=x\\n' % ('9' * 18) * 20"
        " if 'node' in words else 'PartitionName=x State=UP MaxTime=1 MaxNodes=1\\n')"
    ),
    "half": "say('PartitionName=x Sta') if 'partition' in words else sys.exit(1)",
    "escape codes": "say('PartitionName=\\x1b[31m State=\\x1b MaxTime=\\x1b[2J MaxNodes=1\\n')",
}
