// TorchPairForce from what Python has of a module. torch is imported by the caller, if at all.

%extend DiffPair::TorchPairForce {
    %pythoncode %{
    @staticmethod
    def fromModule(module, types, rMin, cutoff, numKnots, switchWidth=None, globalParameters=None, embedTable=True):
        """Create a force from a TorchScript module; particles are still to be added.

        Args:
            module: a torch.jit.ScriptModule, the path of a file that torch.jit.save wrote, or its bytes. Its
                forward(r [n], *parameters) returns energies [numPairs, n] in kJ/mol.
            types: the names of the particle types, or their number.
            rMin, cutoff: first and last knot of the table, nm.
            numKnots: number of knots.
            switchWidth: width of the switching function before the cutoff, nm; a tenth of the cutoff unless given.
            globalParameters: names and default values of the parameters passed to the module after r, in order.
            embedTable: make the table now and keep it in the force, so that its XML runs where PyTorch is missing.

        Raises:
            openmm.OpenMMException: the module is unusable; the message says why.
            TypeError: `module` is none of these.
        """
        isPath = isinstance(module, str) or hasattr(module, "__fspath__")
        if hasattr(module, "save_to_buffer"):
            content = module.save_to_buffer()
        elif isinstance(module, bytes):
            content = module
        elif isPath:
            content = TorchPairForce.readModule(str(module))
        else:
            raise TypeError(
                f"a TorchPairForce needs a torch.jit.ScriptModule, a path or bytes, not {type(module).__name__}; "
                "make one with torch.jit.script(module)"
            )
        names = [str(i) for i in range(types)] if isinstance(types, int) else list(types)
        force = TorchPairForce(content, len(names), rMin, cutoff, numKnots, -1.0 if switchWidth is None else switchWidth)
        for index, name in enumerate(names):
            force.setTypeName(index, name)
        for name, value in (globalParameters or {}).items():
            force.addGlobalParameter(name, value)
        if embedTable:
            try:
                force.embedTable()
            except openmm.OpenMMException as error:
                raise openmm.OpenMMException(f"{error} (module file '{module}')" if isPath else str(error)) from None
        return force
    %}
}
