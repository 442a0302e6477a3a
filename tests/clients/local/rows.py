def run(machine, folder, report, case):
    pass
