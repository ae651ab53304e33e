// TorchPairForce from what Python has of a module. torch is imported by the caller, if at all.

%extend DiffPairPlugin::TorchPairForce {
    %pythoncode %{
    @staticmethod
    def fromModule(
        module,
        types,
        rMin,
        cutoff,
        numKnots,
        switchWidth=None,
        globalParameters=None,
        embedTable=True,
        energyParameterDerivatives=(),
    ):
        """Create a force from a module of PyTorch; particles are still to be added.

        Args:
            module: a torch.export.ExportedProgram or a torch.jit.ScriptModule, the path of a file that
                torch.export.save or torch.jit.save wrote, or its bytes. Its `forward(r, *parameters)` of distances [n]
                in nm returns energies [P, n] in kJ/mol. Exported programs are kept as TorchScript, which C++ runs.
            types: the names of the T particle types, or their number.
            rMin: first knot of the table, nm.
            cutoff: last knot of the table, nm.
            numKnots: number of knots, 5 or more.
            switchWidth: width of the switching function before the cutoff, nm; a tenth of the cutoff unless given.
            globalParameters: names and default values of the parameters passed to the module after r, in order.
            energyParameterDerivatives: the names of those with respect to which the derivative of the energy is
                computed, for State.getEnergyParameterDerivatives().
            embedTable: make the table now and keep it in the force, so that its XML runs where PyTorch is missing.

        Returns:
            The force.

        Raises:
            openmm.OpenMMException: the module is unusable; the message says why.
            TypeError: `module` is none of these.
        """
        isPath = isinstance(module, str) or hasattr(module, "__fspath__")
        content = TorchPairForce._bytesOf(module, isPath)
        number = types if isinstance(types, int) else len(types)
        force = TorchPairForce(content, number, rMin, cutoff, numKnots, -1.0 if switchWidth is None else switchWidth)
        if not isinstance(types, int):
            for index, name in enumerate(types):
                force.setTypeName(index, name)
        for name, value in (globalParameters or {}).items():
            force.addGlobalParameter(name, value)
        for name in energyParameterDerivatives:
            force.addEnergyParameterDerivative(name)
        if embedTable:
            try:
                force.embedTable()
            except openmm.OpenMMException as error:
                raise openmm.OpenMMException(f"{error} (module file '{module}')" if isPath else str(error)) from None
        return force

    @staticmethod
    def _bytesOf(module, isPath):
        """What fromModule was given as the bytes of a TorchScript module."""
        from diffpair.errors import DiffPairError
        from diffpair.module_files import EXPORTED, TORCHSCRIPT, describe, kind_of

        label = f"the module file '{module}'" if isPath else "the module"
        try:
            if hasattr(module, "graph_signature"):  # an ExportedProgram
                from diffpair.potentials.exported import to_torchscript

                return to_torchscript(module, "the exported program")
            if hasattr(module, "save_to_buffer"):
                return module.save_to_buffer()
            if not isPath and not isinstance(module, bytes):
                raise TypeError(
                    "a TorchPairForce needs a torch.export.ExportedProgram, a torch.jit.ScriptModule, a path or bytes, "
                    f"not {type(module).__name__}; make one with torch.export.export(module, ...)"
                )
            content = TorchPairForce.readModule(str(module)) if isPath else module
            kind = kind_of(content)
            if kind == EXPORTED:
                from diffpair.potentials.exported import load_program, to_torchscript

                return to_torchscript(load_program(content, label), label)
            if kind != TORCHSCRIPT:
                raise DiffPairError(f"{label} {describe(content)}")
            return content
        except DiffPairError as error:
            raise openmm.OpenMMException(f"TorchPairForce: {error}") from None
    %}
}
